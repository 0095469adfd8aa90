// SPDX-License-Identifier: MIT
import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;

interface Memfd extends com.sun.jna.Library {
    Memfd LIB = Native.load("libmemfd.so.1", Memfd.class);
    int memfd_new_sealed_str(String name, String flags, byte[] data,
        NativeLong size) throws LastErrorException;
}

class Readme {
    public static void main(String[] args) throws Exception {
        byte[] data = "hello, world".getBytes();
        int fd = Memfd.LIB.memfd_new_sealed_str("greeting", "", data,
            new NativeLong(data.length));

        byte[] got = Files.readAllBytes(Paths.get("/proc/self/fd/" + fd));
        if (!Arrays.equals(got, data))
            throw new AssertionError();
    }
}
