using StripeMeter.Storage.Mongo;
using StripeMeter.Storage.Sqlite;

namespace StripeMeter.Storage.Tests;

public sealed class MeterStoreFactoryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-storage-").FullName;

    [Fact]
    public async Task Create_Sqlite_OpensTheFolder()
    {
        var folder = Path.Combine(_folder, "made", "by", "opening");

        await using var store = MeterStoreFactory.Create(new MeterStoreOptions { DataDirectory = folder }, TimeProvider.System);

        Assert.IsType<SqliteMeterStore>(store);
        Assert.True(File.Exists(Path.Combine(folder, "ledger.db")));
    }

    [Fact]
    public async Task Create_Mongo_ConnectsOnlyWhenItIsUsed()
    {
        await using var store = MeterStoreFactory.Create(new MeterStoreOptions { Engine = StorageEngine.Mongo }, TimeProvider.System);

        Assert.IsType<MongoMeterStore>(store);
    }

    [Theory]
    [InlineData("", "stripemeter", nameof(MeterStoreOptions.MongoUrl))]
    [InlineData("localhost:27017", "stripemeter", nameof(MeterStoreOptions.MongoUrl))]
    [InlineData("mongodb://localhost/?w=nonsense&journal=maybe", "stripemeter", nameof(MeterStoreOptions.MongoUrl))]
    [InlineData("mongodb://localhost", "", nameof(MeterStoreOptions.MongoDatabase))]
    [InlineData("mongodb://localhost", "a b/c", nameof(MeterStoreOptions.MongoDatabase))]
    public void Create_MongoOptionsThatCannotBeUsed_NamesTheOption(string url, string database, string option)
    {
        var options = new MeterStoreOptions { Engine = StorageEngine.Mongo, MongoUrl = url, MongoDatabase = database };

        var problem = Assert.Throws<InvalidStoreOptionException>(() => MeterStoreFactory.Create(options, TimeProvider.System));

        Assert.Equal(option, problem.Option);
        Assert.StartsWith(option, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_AFolderThatIsAFile_NamesTheOption()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");

        var problem = Assert.Throws<InvalidStoreOptionException>(
            () => MeterStoreFactory.Create(new MeterStoreOptions { DataDirectory = file }, TimeProvider.System));

        Assert.Equal(nameof(MeterStoreOptions.DataDirectory), problem.Option);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1025)]
    public void Create_ShardsBeyondTheLimits_NamesTheOption(int shards)
    {
        var options = new MeterStoreOptions { DataDirectory = _folder, NewTenantShards = shards };

        var problem = Assert.Throws<InvalidStoreOptionException>(() => MeterStoreFactory.Create(options, TimeProvider.System));

        Assert.Equal(nameof(MeterStoreOptions.NewTenantShards), problem.Option);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
