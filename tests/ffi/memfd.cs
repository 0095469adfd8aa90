// SPDX-License-Identifier: MIT
// libmemfd from C#, with P/Invoke.

using System;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

sealed class Fd : SafeHandleMinusOneIsInvalid
{
    public Fd(int fd) : base(true)
    {
        SetHandle((IntPtr)fd);
    }

    protected override bool ReleaseHandle()
    {
        return Native.close((int)handle) == 0;
    }
}

static class Native
{
    const string Lib = "libmemfd.so.1";

    [DllImport(Lib, SetLastError = true)]
    public static extern int memfd_new(string name, uint flags);
    [DllImport(Lib, SetLastError = true)]
    public static extern int memfd_seal(Fd fd, uint seals);
    [DllImport(Lib, SetLastError = true)]
    public static extern int memfd_get_seals_str(Fd fd,
        byte[] buf, UIntPtr size);
    [DllImport(Lib, SetLastError = true)]
    public static extern int memfd_check_seals_str(Fd fd,
        string seals);
    [DllImport(Lib, SetLastError = true)]
    public static extern int memfd_new_sealed_str(string name, string flags,
        byte[] data, UIntPtr size);
    [DllImport(Lib)]
    public static extern int memfd_parse_flags(string names, out uint flags,
        out UIntPtr end);
    [DllImport(Lib)]
    public static extern int memfd_parse_seals(string names, out uint seals,
        out UIntPtr end);

    [DllImport("libc", SetLastError = true)]
    public static extern int pipe([Out] int[] fds);
    [DllImport("libc", SetLastError = true)]
    public static extern IntPtr write(Fd fd, byte[] buf, UIntPtr count);
    [DllImport("libc", SetLastError = true)]
    public static extern IntPtr read(Fd fd, byte[] buf, UIntPtr count);
    [DllImport("libc")]
    public static extern int close(int fd);
    [DllImport("libc")]
    static extern IntPtr strerror(int errnum);

    // The result, or an exception with what errno says where it is -1.
    public static int Check(int result)
    {
        if (result >= 0)
            return result;
        int errno = Marshal.GetLastWin32Error();
        throw new IOException(Marshal.PtrToStringAnsi(strerror(errno)), errno);
    }
}

static class Memfd
{
    delegate int Parser(string text, out uint number, out UIntPtr end);

    static uint Parse(Parser parser, string kind, string text)
    {
        uint number;
        UIntPtr end;
        if (parser(text, out number, out end) == 0)
            return number;
        string word = text.Substring((int)end)
            .Split(",| \t\n\v\f\r".ToCharArray())[0];
        throw new FormatException("invalid " + kind + ": " + word);
    }

    public static Fd New(string name, string flags = "")
    {
        uint number = Parse(Native.memfd_parse_flags, "flag", flags);
        int fd = Native.Check(Native.memfd_new(name, number));
        return new Fd(fd);
    }

    public static Fd NewSealed(string name, byte[] data)
    {
        int fd = Native.Check(Native.memfd_new_sealed_str(name, "", data,
            (UIntPtr)data.Length));
        return new Fd(fd);
    }

    public static void Seal(Fd fd, string seals)
    {
        uint number = Parse(Native.memfd_parse_seals, "seal", seals);
        Native.Check(Native.memfd_seal(fd, number));
    }

    public static string[] GetSeals(Fd fd)
    {
        var text = new byte[128];
        int length = Native.Check(Native.memfd_get_seals_str(fd, text,
            (UIntPtr)text.Length));
        return Encoding.ASCII.GetString(text, 0, length).Split(',');
    }

    public static void CheckSeals(Fd fd, string seals)
    {
        Native.Check(Native.memfd_check_seals_str(fd, seals));
    }
}

static class Program
{
    static int Write(Fd fd, string text)
    {
        var data = Encoding.UTF8.GetBytes(text);
        return Native.Check((int)Native.write(fd, data, (UIntPtr)data.Length));
    }

    static string Read(Fd fd)
    {
        var data = new byte[64];
        int length = Native.Check((int)Native.read(fd, data,
            (UIntPtr)data.Length));
        return Encoding.UTF8.GetString(data, 0, length);
    }

    static string Reason(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException || e is FormatException)
        {
            return e.Message;
        }
        throw new InvalidOperationException("should have been refused");
    }

    static void Main()
    {
        using (var buf = Memfd.New("buf", "allow-sealing"))
        {
            Console.WriteLine("wrote: {0} bytes", Write(buf, "hello"));
            Memfd.Seal(buf, "seal,immutable");
            // Linux 6.3 and later add "exec" by themselves.
            var seals = Memfd.GetSeals(buf).Where(name => name != "exec");
            Console.WriteLine("seals: {0}", string.Join(",", seals));
            Memfd.CheckSeals(buf, "immutable");
            Console.WriteLine("immutable: yes");

            Console.WriteLine("write: " + Reason(() => Write(buf, "again")));
            Console.WriteLine("new: " + Reason(() =>
                Memfd.New("buf", "allow-sealing,sparkling")));
            Console.WriteLine("seal: " + Reason(() =>
                Memfd.Seal(buf, "write|frozen")));
        }

        var fds = new int[2];
        Native.Check(Native.pipe(fds));
        using (var reader = new Fd(fds[0]))
        using (new Fd(fds[1]))
            Console.WriteLine("pipe: " + Reason(() =>
                Memfd.CheckSeals(reader, "immutable")));

        using (var unsealed = Memfd.New("unsealed"))
            Console.WriteLine("unsealed: " + Reason(() =>
                Memfd.CheckSeals(unsealed, "immutable")));

        var data = Encoding.UTF8.GetBytes("hello, world");
        using (var greeting = Memfd.NewSealed("greeting", data))
            Console.WriteLine("sealed: " + Read(greeting));
    }
}
