// SPDX-License-Identifier: MIT

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.NativeLongByReference;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** libmemfd from Java, with JNA. */
public class Memfd {
    /** JNA turns -1 and errno into the exception. */
    interface C extends Library {
        C LIB = Native.load("libmemfd.so.1", C.class);
        int SEAL_EXEC = 0x20;
        int SEAL_IMMUTABLE = 0x0e;

        int memfd_new(String name, int flags) throws LastErrorException;
        int memfd_seal(int fd, int seals) throws LastErrorException;
        int memfd_get_seals(int fd) throws LastErrorException;
        int memfd_new_sealed(String name, int flags, byte[] data,
            NativeLong size) throws LastErrorException;
        int memfd_check_seals(int fd, int seals) throws LastErrorException;
        int memfd_parse_flags(String names, IntByReference flags,
            NativeLongByReference end);
        int memfd_parse_seals(String names, IntByReference seals,
            NativeLongByReference end);
        int memfd_format_seals(int seals, byte[] buf, NativeLong size)
            throws LastErrorException;

        C LIBC = Native.load("c", C.class);
        int pipe(int[] fds) throws LastErrorException;
        int close(int fd) throws LastErrorException;
    }

    static int parseFlags(String text) {
        IntByReference flags = new IntByReference();
        NativeLongByReference end = new NativeLongByReference();
        if (C.LIB.memfd_parse_flags(text, flags, end) < 0)
            throw invalid("flag", text, end);
        return flags.getValue();
    }

    static int parseSeals(String text) {
        IntByReference seals = new IntByReference();
        NativeLongByReference end = new NativeLongByReference();
        if (C.LIB.memfd_parse_seals(text, seals, end) < 0)
            throw invalid("seal", text, end);
        return seals.getValue();
    }

    static IllegalArgumentException invalid(String kind, String text,
            NativeLongByReference end) {
        String rest = text.substring(end.getValue().intValue());
        return new IllegalArgumentException(
            "invalid " + kind + ": " + rest.split("[,|\\s]")[0]);
    }

    static String formatSeals(int seals) {
        byte[] text = new byte[128];
        C.LIB.memfd_format_seals(seals, text, new NativeLong(text.length));
        return Native.toString(text);
    }

    /** Java opens files by name only: a memfd has one while it is open. */
    static String path(int fd) {
        return "/proc/self/fd/" + fd;
    }

    interface Action {
        void run() throws Exception;
    }

    /** What went wrong, without the number that JNA puts before it. */
    static String reason(Action action) {
        try {
            action.run();
        } catch (Exception e) {
            return e.getMessage().replaceFirst("^\\[\\d+\\] ", "");
        }
        throw new AssertionError("should have been refused");
    }

    public static void main(String[] args) throws IOException {
        int fd = C.LIB.memfd_new("buf", parseFlags("allow-sealing"));
        FileOutputStream buf = new FileOutputStream(path(fd), true);
        byte[] hello = "hello".getBytes(StandardCharsets.UTF_8);
        buf.write(hello);
        System.out.println("wrote: " + hello.length + " bytes");
        C.LIB.memfd_seal(fd, parseSeals("seal,immutable"));
        // Linux 6.3 and later set this seal by themselves.
        int seals = C.LIB.memfd_get_seals(fd) & ~C.SEAL_EXEC;
        System.out.println("seals: " + formatSeals(seals));
        C.LIB.memfd_check_seals(fd, C.SEAL_IMMUTABLE);
        System.out.println("immutable: yes");

        System.out.println("write: " + reason(() -> buf.write(hello)));
        System.out.println("new: " + reason(() -> C.LIB.memfd_new("buf",
            parseFlags("allow-sealing,sparkling"))));
        System.out.println("seal: " + reason(() -> C.LIB.memfd_seal(fd,
            parseSeals("write|frozen"))));
        buf.close();
        C.LIBC.close(fd);

        int[] pipe = new int[2];
        C.LIBC.pipe(pipe);
        System.out.println("pipe: " + reason(() ->
            C.LIB.memfd_check_seals(pipe[0], C.SEAL_IMMUTABLE)));
        C.LIBC.close(pipe[0]);
        C.LIBC.close(pipe[1]);

        int unsealed = C.LIB.memfd_new("unsealed", 0);
        System.out.println("unsealed: " + reason(() ->
            C.LIB.memfd_check_seals(unsealed, C.SEAL_IMMUTABLE)));
        C.LIBC.close(unsealed);

        byte[] data = "hello, world".getBytes(StandardCharsets.UTF_8);
        int greeting = C.LIB.memfd_new_sealed("greeting", 0, data,
            new NativeLong(data.length));
        try (FileInputStream in = new FileInputStream(path(greeting))) {
            System.out.println("sealed: "
                + new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
        C.LIBC.close(greeting);
    }
}
