// SPDX-License-Identifier: MIT

import com.sun.jna.Function;
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
        C LIBC = Native.load("c", C.class);

        int memfd_new(String name, int flags) throws LastErrorException;
        int memfd_seal(int fd, int seals) throws LastErrorException;
        int memfd_get_seals_str(int fd, byte[] buf, NativeLong size)
            throws LastErrorException;
        int memfd_check_seals_str(int fd, String seals)
            throws LastErrorException;
        int memfd_new_sealed_str(String name, String flags, byte[] data,
            NativeLong size) throws LastErrorException;
        int close(int fd) throws LastErrorException;
    }

    /** The number that a text names; kind is "flag" or "seal". */
    static int parse(String kind, String text) {
        IntByReference number = new IntByReference();
        NativeLongByReference stop = new NativeLongByReference();
        Function function = Function.getFunction("libmemfd.so.1",
            "memfd_parse_" + kind + "s");
        if (function.invokeInt(new Object[] { text, number, stop }) == 0)
            return number.getValue();
        String rest = text.substring(stop.getValue().intValue());
        throw new IllegalArgumentException(
            "invalid " + kind + ": " + rest.split("[,|\\s]")[0]);
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
        int fd = C.LIB.memfd_new("buf", parse("flag", "allow-sealing"));
        FileOutputStream buf = new FileOutputStream(path(fd), true);
        byte[] hello = "hello".getBytes(StandardCharsets.UTF_8);
        buf.write(hello);
        System.out.println("wrote: " + hello.length + " bytes");
        System.out.println("unsealed: "
            + reason(() -> C.LIB.memfd_check_seals_str(fd, "immutable")));

        C.LIB.memfd_seal(fd, parse("seal", "seal,immutable"));
        byte[] seals = new byte[128];
        C.LIB.memfd_get_seals_str(fd, seals, new NativeLong(seals.length));
        System.out.println("seals: " + Native.toString(seals));
        C.LIB.memfd_check_seals_str(fd, "immutable");
        System.out.println("immutable: yes");

        System.out.println("write: " + reason(() -> buf.write(hello)));
        System.out.println("new: " + reason(() -> C.LIB.memfd_new("buf",
            parse("flag", "allow-sealing,sparkling"))));
        System.out.println("seal: " + reason(() -> C.LIB.memfd_seal(fd,
            parse("seal", "write|frozen"))));
        System.out.println("stdin: "
            + reason(() -> C.LIB.memfd_check_seals_str(0, "immutable")));
        buf.close();
        C.LIBC.close(fd);

        byte[] data = "hello, world".getBytes(StandardCharsets.UTF_8);
        int greeting = C.LIB.memfd_new_sealed_str("greeting", "", data,
            new NativeLong(data.length));
        try (FileInputStream in = new FileInputStream(path(greeting))) {
            System.out.println("sealed: "
                + new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
        C.LIBC.close(greeting);
    }
}
