using CoordinationPlan.Bench.Http2;
using Google.Protobuf;

namespace CoordinationPlan.Bench.Load;

/// <summary>What is called, and what the answers must be.</summary>
internal abstract class Calls
{
    /// <summary>The method as the access log names it.</summary>
    public abstract string Method { get; }

    /// <summary>The next request in this place; null when there are no more.</summary>
    public abstract IMessage? Next(Call call);

    /// <summary>Looks at an answer. Returns what is wrong with it, or null.</summary>
    public abstract string? Check(Call call);
}
