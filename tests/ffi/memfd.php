<?php
// SPDX-License-Identifier: MIT
// libmemfd from PHP, with its FFI.
declare(strict_types=1);

$libmemfd = FFI::cdef(<<<'C'
    int memfd_new(const char *name, unsigned int flags);
    int memfd_seal(int fd, unsigned int seals);
    int memfd_get_seals_str(int fd, char *buf, size_t size);
    int memfd_check_seals_str(int fd, const char *seals);
    int memfd_new_sealed_str(const char *name, const char *flags,
                             const void *data, size_t size);
    int memfd_parse_flags(const char *names, unsigned int *flags, size_t *stop);
    int memfd_parse_seals(const char *names, unsigned int *seals, size_t *stop);
    C, 'libmemfd.so.1');

// PHP's FFI has no errno of its own: this is where glibc and musl keep it.
$libc = FFI::cdef(<<<'C'
    int *__errno_location(void);
    char *strerror(int errnum);
    int close(int fd);
    C);

/** The result of a function; where that is -1, an exception with the errno. */
function check(int $result): int
{
    global $libc;
    if ($result < 0) {
        $errno = $libc->__errno_location()[0];
        throw new RuntimeException(FFI::string($libc->strerror($errno)), $errno);
    }
    return $result;
}

/** The number that a text names. */
function parse(string $kind, string $text): int
{
    global $libmemfd;
    $number = $libmemfd->new('unsigned int');
    $end = $libmemfd->new('size_t');
    $parse = "memfd_parse_{$kind}s";
    if ($libmemfd->$parse($text, FFI::addr($number), FFI::addr($end)) < 0) {
        preg_match('/[^,|\s]*/', substr($text, $end->cdata), $word);
        throw new ValueError("invalid $kind: $word[0]");
    }
    return $number->cdata;
}

function reason(callable $action): string
{
    try {
        $action();
    } catch (RuntimeException | ValueError $e) {
        return $e->getMessage();
    }
    throw new LogicException('should have been refused');
}

/** A PHP stream over a copy of the descriptor. */
function stream(int $fd)
{
    return fopen("php://fd/$fd", 'r+');
}

$is_immutable = fn (int $fd) =>
    check($libmemfd->memfd_check_seals_str($fd, 'immutable'));

$fd = check($libmemfd->memfd_new('buf', parse('flag', 'allow-sealing')));
$buf = stream($fd);
echo 'wrote: ', fwrite($buf, 'hello'), " bytes\n";
echo 'unsealed: ', reason(fn () => $is_immutable($fd)), "\n";
check($libmemfd->memfd_seal($fd, parse('seal', 'seal,immutable')));
$seals = $libmemfd->new('char[128]');
check($libmemfd->memfd_get_seals_str($fd, $seals, 128));
echo 'seals: ', FFI::string($seals), "\n";
$is_immutable($fd);
echo "immutable: yes\n";

@fwrite($buf, 'again');
preg_match('/errno=\d+ (.*)/', error_get_last()['message'], $match);
echo 'write: ', $match[1], "\n";
echo 'new: ', reason(fn () => $libmemfd->memfd_new('buf',
    parse('flag', 'allow-sealing,sparkling'))), "\n";
echo 'seal: ', reason(fn () => $libmemfd->memfd_seal($fd,
    parse('seal', 'write|frozen'))), "\n";
echo 'stdin: ', reason(fn () => $is_immutable(0)), "\n";
$libc->close($fd);

$data = 'hello, world';
$fd = check($libmemfd->memfd_new_sealed_str('greeting', '', $data,
    strlen($data)));
echo 'sealed: ', stream_get_contents(stream($fd)), "\n";
$libc->close($fd);
