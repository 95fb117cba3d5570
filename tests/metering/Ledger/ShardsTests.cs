using CsCheck;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Metering.Tests.Ledger;

public sealed class ShardsTests
{
    // The rule is part of every ledger there is: these values may never change.
    [Theory]
    [InlineData("cus_01", 8, 4)]
    [InlineData("cus_02", 8, 1)]
    [InlineData("cus_ABC123", 8, 3)]
    [InlineData("cus_ABC123", 3, 0)]
    [InlineData("cus_ABC123", 1024, 587)]
    [InlineData("日本", 8, 3)]
    [InlineData("😀", 1024, 327)]
    [InlineData("", 8, 4)]
    public void Of_AKnownCustomer_IsTheKnownShard(string customer, int shardCount, int expected) =>
        Assert.Equal(expected, Shards.Of(customer, shardCount));

    [Fact]
    public void Of_AnyCustomer_IsOneOfTheShards() => Gen.Select(Gen.String, Gen.Int[1, Shards.MaximumCount]).Sample((customer, count) =>
        Shards.Of(customer, count) is var shard && shard >= 0 && shard < count);

    [Fact]
    public void Of_ManyCustomers_FillsAllShardsAlike()
    {
        var customers = Enumerable.Range(0, 8_000).GroupBy(number => Shards.Of($"cus_{number}", 8));

        Assert.Equal(8, customers.Count());
        Assert.All(customers, shard => Assert.InRange(shard.Count(), 850, 1_150));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Of_NoShards_Throws(int shardCount) => Assert.Throws<ArgumentOutOfRangeException>(() => Shards.Of("cus_1", shardCount));
}
