// SPDX-License-Identifier: MIT
// libmemfd from C#, with P/Invoke.

using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

sealed class Fd : SafeHandleMinusOneIsInvalid
{
    public Fd(int fd, bool owned = true) : base(owned)
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
        out UIntPtr stop);
    [DllImport(Lib)]
    public static extern int memfd_parse_seals(string names, out uint seals,
        out UIntPtr stop);

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

static class Program
{
    delegate int Parser(string names, out uint number, out UIntPtr stop);

    static uint Parse(Parser parser, string kind, string text)
    {
        uint number;
        UIntPtr stop;
        if (parser(text, out number, out stop) == 0)
            return number;
        string word = text.Substring((int)stop)
            .Split(",| \t\n\v\f\r".ToCharArray())[0];
        throw new FormatException("invalid " + kind + ": " + word);
    }

    static Fd New(string name, string flags)
    {
        uint number = Parse(Native.memfd_parse_flags, "flag", flags);
        return new Fd(Native.Check(Native.memfd_new(name, number)));
    }

    static void Seal(Fd fd, string seals)
    {
        uint number = Parse(Native.memfd_parse_seals, "seal", seals);
        Native.Check(Native.memfd_seal(fd, number));
    }

    static string GetSeals(Fd fd)
    {
        var text = new byte[128];
        int length = Native.Check(Native.memfd_get_seals_str(fd, text,
            (UIntPtr)text.Length));
        return Encoding.ASCII.GetString(text, 0, length);
    }

    static void CheckSeals(Fd fd, string seals)
    {
        Native.Check(Native.memfd_check_seals_str(fd, seals));
    }

    static int Write(Fd fd, string text)
    {
        var data = Encoding.UTF8.GetBytes(text);
        return Native.Check((int)Native.write(fd, data, (UIntPtr)data.Length));
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
        using (var buf = New("buf", "allow-sealing"))
        {
            Console.WriteLine("wrote: {0} bytes", Write(buf, "hello"));
            Console.WriteLine("unsealed: " + Reason(() =>
                CheckSeals(buf, "immutable")));
            Seal(buf, "seal,immutable");
            Console.WriteLine("seals: " + GetSeals(buf));
            CheckSeals(buf, "immutable");
            Console.WriteLine("immutable: yes");

            Console.WriteLine("write: " + Reason(() => Write(buf, "again")));
            Console.WriteLine("new: " + Reason(() =>
                New("buf", "allow-sealing,sparkling")));
            Console.WriteLine("seal: " + Reason(() =>
                Seal(buf, "write|frozen")));
            Console.WriteLine("stdin: " + Reason(() =>
                CheckSeals(new Fd(0, owned: false), "immutable")));
        }

        var data = Encoding.UTF8.GetBytes("hello, world");
        int fd = Native.Check(Native.memfd_new_sealed_str("greeting", "", data,
            (UIntPtr)data.Length));
        using (var greeting = new Fd(fd))
        {
            var text = new byte[64];
            int length = Native.Check((int)Native.read(greeting, text,
                (UIntPtr)text.Length));
            Console.WriteLine("sealed: "
                + Encoding.UTF8.GetString(text, 0, length));
        }
    }
}
