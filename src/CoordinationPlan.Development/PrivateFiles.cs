namespace CoordinationPlan.Development;

/// <summary>Files and directories that only their owner may open.</summary>
internal static class PrivateFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode DirectoryOwnerOnly = OwnerOnly | UnixFileMode.UserExecute;

    /// <summary>
    /// Makes the directory, mode 0700. One that exists and that others may enter is refused and not quietly narrowed: it may be shared for
    /// a reason, and then nothing private belongs in it.
    /// </summary>
    public static void CreateDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            throw NeedsUnixModes();
        }

        Directory.CreateDirectory(path, DirectoryOwnerOnly);
        if ((File.GetUnixFileMode(path) & ~DirectoryOwnerOnly) != 0)
        {
            throw new InvalidOperationException($"Others may enter {path}, and it has to be private. Run: chmod 700 '{path}'");
        }
    }

    /// <summary>Puts the text there in one step, mode 0600 if secret: a reader, or the next run after a crash, sees all or none.</summary>
    public static void Write(string path, string text, bool secret)
    {
        if (OperatingSystem.IsWindows())
        {
            throw NeedsUnixModes();
        }

        var mode = secret ? OwnerOnly : OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        var temporary = path + ".new";
        File.Delete(temporary);
        using (var writer = new StreamWriter(temporary, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = mode,
        }))
        {
            writer.Write(text);
        }

        File.Move(temporary, path, overwrite: true);
    }

    private static PlatformNotSupportedException NeedsUnixModes() =>
        new("The development helpers keep private files by Unix modes. Use Linux, macOS or WSL.");
}
