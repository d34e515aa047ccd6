using System.Diagnostics;
using CoordinationPlan.Bench.Http2;

namespace CoordinationPlan.Bench.Load;

/// <summary>One run of load on the service.</summary>
/// <param name="Places">Calls in flight; at a fixed rate, the most there may be.</param>
/// <param name="Connections">Over how many connections.</param>
/// <param name="Rate">Calls a second; null for as many as come through.</param>
internal sealed record LoadRun(int Places, int Connections, TimeSpan WarmUp, TimeSpan Measured, double? Rate = null)
{
    /// <summary>Runs it, and throws where a single call was not answered as it should be.</summary>
    /// <param name="serviceTime">Reads the processor time of the service so far.</param>
    public async Task<LoadResult> Run(Target target, Calls calls, Func<TimeSpan> serviceTime, CancellationToken stop)
    {
        var headers = await target.Headers(calls.Method, stop);
        var count = Math.Min(Connections, Places);
        var connections = new List<Http2Connection>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                connections.Add(target.Connect());
            }

            using var cut = stop.Register(() => connections.ForEach(connection => connection.Dispose()));
            var from = Stopwatch.GetTimestamp() + Ticks(WarmUp);
            var to = from + Ticks(Measured);
            var recorders = connections.ConvertAll(_ => new Recorder(calls, from, to));
            var threads = connections.Select((connection, i) => Start(() =>
            {
                var places = Enumerable.Range(0, Places).Where(place => place % count == i).Select(place => new Call(place)).ToList();
                var driver = new Driver(connection, headers, calls, recorders[i], to);
                if (Rate is { } rate)
                {
                    driver.Open(places, rate / count);
                }
                else
                {
                    driver.Closed(places);
                }
            })).ToList();

            var all = Task.WhenAll(threads);
            await Task.WhenAny(all, Task.Delay(WarmUp, TimeProvider.System, stop));
            var (serviceBefore, clientBefore) = (serviceTime(), Environment.CpuUsage.TotalTime);
            await Task.WhenAny(all, Task.Delay(Measured, TimeProvider.System, stop));
            var (serviceTook, clientTook) = (serviceTime() - serviceBefore, Environment.CpuUsage.TotalTime - clientBefore);
            await all;
            return Result(recorders, serviceTook, clientTook);
        }
        finally
        {
            connections.ForEach(connection => connection.Dispose());
        }
    }

    private LoadResult Result(List<Recorder> recorders, TimeSpan serviceTook, TimeSpan clientTook)
    {
        if (recorders.Sum(recorder => recorder.Faults) is var faults and > 0)
        {
            throw new UnsoundRunException(
                $"{faults} of {recorders.Sum(recorder => recorder.Calls)} calls failed, the first with: {recorders.First(recorder => recorder.FirstFault is not null).FirstFault}");
        }

        var ticks = recorders.SelectMany(recorder => recorder.Ticks).Order().ToArray();
        var measured = Math.Max(1, ticks.Length);
        return new LoadResult(
            recorders.Sum(recorder => recorder.Calls),
            ticks.Length / Measured.TotalSeconds,
            Milliseconds(ticks, 0.5),
            Milliseconds(ticks, 0.99),
            Milliseconds(ticks, 0.999),
            serviceTook.TotalMicroseconds / measured,
            clientTook.TotalMicroseconds / measured);
    }

    private static double Milliseconds(long[] sorted, double part) =>
        sorted.Length == 0 ? 0 : sorted[(int)((sorted.Length - 1) * part)] * 1000.0 / Stopwatch.Frequency;

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private static Task Start(Action run)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                run();
                done.SetResult();
            }
            catch (Exception failure) when (failure is IOException or ObjectDisposedException or NotSupportedException or InvalidDataException)
            {
                done.SetException(failure);
            }
        })
        { IsBackground = true }.Start();
        return done.Task;
    }
}
