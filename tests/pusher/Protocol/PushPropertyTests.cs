using CsCheck;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pusher.Tests.Protocol;

/// <summary>
/// Any order of counting, attempts that end in any way, crashes and time that passes: Stripe is told what was counted, each
/// unit once, within its rules.
/// </summary>
public sealed class PushPropertyTests
{
    private enum Act
    {
        Count,
        Attempt,
        Crash,
        LetTimePass,
        LetADayPass,
    }

    [Fact]
    public void Document_AfterAnything_TellsWhatWasCountedOnce()
    {
        var act = Gen.Frequency((4, Gen.Const(Act.Count)), (8, Gen.Const(Act.Attempt)), (2, Gen.Const(Act.Crash)), (4, Gen.Const(Act.LetTimePass)), (1, Gen.Const(Act.LetADayPass)));
        Gen.Select(act, Gen.Int[0, 999_999]).Array[1, 60].Sample(
            acts =>
            {
                var world = new World();
                foreach (var (what, dice) in acts)
                    world.Do(what, dice);
                world.Rest();
                world.Check();
            },
            iter: 2_000);
    }

    /// <summary>A document, what was counted, and a meter that knows identifiers for a day.</summary>
    private sealed class World
    {
        private static readonly TimeSpan Window = TimeSpan.FromHours(24);
        private readonly PushProtocol _protocol = new(new PushRules { MaximumRejections = int.MaxValue }, () => 0);
        private readonly List<(PushIntent Intent, Instant Taken)> _meter = [];
        private readonly HashSet<(string Identifier, string Sent, Instant Minute)> _sent = [];
        private DeltaDocument _document = Documents.Empty;
        private Instant _now = Documents.Noon;
        private Quantity _counted;
        private long _version;
        private long _nonce;

        public void Do(Act what, int dice)
        {
            switch (what)
            {
                case Act.Count:
                    _counted += Quantity.Parse($"{(dice % 3 == 0 ? "-" : "")}{dice}.{dice % 1_000:d3}");
                    var counter = new Contribution("m", "c", _counted, new CounterVersion(0, ++_version), "log", _now);
                    _document = _protocol.Raise(_document, Documents.March, counter, Documents.Meter, Instant.Minimum, _now);
                    break;
                case Act.Attempt:
                    Step(dice, crashes: false);
                    break;
                case Act.Crash:
                    Step(dice, crashes: true);
                    break;
                case Act.LetTimePass:
                    _now += TimeSpan.FromSeconds(dice % 200);
                    break;
                default:
                    _now += TimeSpan.FromHours(dice % 30);
                    break;
            }

            // Each run stays within its period.
            _now = Instant.Min(_now, Documents.March.End - TimeSpan.FromDays(5));
        }

        /// <summary>Without faults, until there is nothing left to do.</summary>
        public void Rest()
        {
            for (var step = 0; step < 2_000; step++)
            {
                Step(dice: 0, crashes: false);
                if (_document.Due is not { } due)
                    return;
                _now = Instant.Max(_now, due);
            }

            Assert.Fail($"It does not come to rest: {_document}");
        }

        public void Check()
        {
            Assert.Equal(_counted, _meter.Aggregate(Quantity.Zero, (sum, taken) => sum + taken.Intent.Sent));
            Assert.Equal(_meter.Count, _meter.Select(taken => taken.Intent.Identifier).Distinct().Count());
            Assert.Equal(_meter.Count, _meter.Select(taken => taken.Intent.Minute).Distinct().Count());
            Assert.Equal(_sent.Count, _sent.Select(sent => sent.Identifier).Distinct().Count());
            Assert.All(_meter, taken => Assert.Equal(taken.Intent.Sent, PushValue.FirstPartOf(taken.Intent.Sent)));
        }

        private void Step(int dice, bool crashes)
        {
            switch (_protocol.Next(_document, _now, (UInt128)(++_nonce)))
            {
                case PushStep.Keep keep:
                    _document = keep.Document;
                    break;
                case PushStep.Close close:
                    _document = close.Document;
                    break;
                case PushStep.Read read:
                    var held = _meter.Where(taken => taken.Intent.Minute == read.Intent.Minute).Aggregate(Quantity.Zero, (sum, taken) => sum + taken.Intent.Sent);
                    _document = _protocol.EnterReading(_document, read.Intent, dice % 5 == 4 ? null : held, _now);
                    break;
                case PushStep.Attempt attempt:
                    _document = attempt.Document;
                    var outcome = Send(_document.Open!, dice);
                    if (!crashes)
                        _document = _protocol.Apply(_document, _document.Open!, new AttemptOutcome(outcome), _now);
                    break;
            }
        }

        private AttemptResult Send(PushIntent intent, int dice)
        {
            _sent.Add((intent.Identifier, intent.Sent.ToString(), intent.Minute));
            var (how, isLost) = (dice % 6, dice % 7 == 3);
            if (how is 1 or 2 or 3)
                return how switch { 1 => AttemptResult.NotExecuted, 2 => AttemptResult.Refused, _ => AttemptResult.Unauthorized };
            if (how == 4)
                return AttemptResult.Unknown;
            if (_meter.Any(taken => taken.Intent.Identifier == intent.Identifier && _now - taken.Taken < Window))
                return isLost ? AttemptResult.Unknown : AttemptResult.Duplicate;
            _meter.Add((intent, _now));
            return isLost ? AttemptResult.Unknown : AttemptResult.Accepted;
        }
    }
}
