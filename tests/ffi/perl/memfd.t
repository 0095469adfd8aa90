# SPDX-License-Identifier: MIT
# What Memfd.pm promises, and the transcript in ../expected.
use v5.20;
use warnings;
use utf8;
use threads;
use Fcntl   qw(F_GETFD FD_CLOEXEC);
use FindBin qw($Bin);
use Test::More;
use Time::HiRes qw(setitimer ITIMER_REAL);
use lib $Bin;
use Memfd;

my $long = 'x' x 250;
pipe my $pipe, my $writer or die $!;

sub descriptors { return scalar(() = glob '/proc/self/fd/*') }

# What went wrong, without the place, which is a line of the caller.
sub reason {
    my ($action) = @_;
    eval { $action->(); 1 } and die 'should have been refused';
    return $@ =~ s/ at \Q$0\E line .*//sr;
}

sub transcript {
    my $buf   = Memfd->new('buf', Memfd::ALLOW_SEALING);
    my @lines = 'wrote: ' . syswrite($buf, 'hello') . ' bytes';
    push @lines, 'unsealed: ' . reason(sub { $buf->check_seals('immutable') });
    $buf->seal('seal,immutable');

    # Linux 6.3 and later add SEAL_EXEC by themselves.
    push @lines, 'seals: ' . Memfd::format_seals($buf->get_seals & ~Memfd::SEAL_EXEC);
    $buf->check_seals(Memfd::SEAL_IMMUTABLE);
    push @lines, 'immutable: yes';
    push @lines, 'write: ' . reason(sub { syswrite $buf, 'again' or die "$!" });
    push @lines, 'new: ' . reason(sub { Memfd->new('buf', 'allow-sealing,sparkling') });
    push @lines, 'seal: ' . reason(sub { $buf->seal('write|frozen') });
    push @lines, 'stdin: ' . reason(sub { Memfd::check_seals(*STDIN, 'immutable') });
    push @lines, 'sealed: ' . readline(Memfd->new_sealed('greeting', 'hello, world'));
    return map { s/memfd_\w+: //r } @lines;
}
open my $expected, '<', "$Bin/../expected" or die $!;
is_deeply [transcript], [map { s/\n//r } <$expected>], 'transcript';

# What it leaves out.
is Memfd::HUGE_16GB | Memfd::EXEC, 0x88000014, 'flags';
for my $flags (Memfd::ALLOW_SEALING | Memfd::INHERIT, 'inherit|allow-sealing') {
    my $file = Memfd->new('name', $flags);
    isa_ok $file, 'IO::File';
    ok !(fcntl($file, F_GETFD, 0) & FD_CLOEXEC), 'stays open on exec';
    $file->seal(Memfd::SEAL_GROW);
    Memfd::seal(fileno $file, 'shrink');
    is $file->get_seals & ~Memfd::SEAL_EXEC, 6, 'two seals';
}
ok fcntl(Memfd->new('name'), F_GETFD, 0) & FD_CLOEXEC, 'closed on exec';
my $sized = Memfd->new_sized('name', 5, 'grow', 'exec');
is -s $sized, 5, 'size';
is((stat $sized)[2] & oct 777, 0o777, 'mode');
$sized->check_seals(Memfd::SEAL_GROW);
Memfd->new_sized('name', 1, '0');
is readline(Memfd->new_sealed('name', "a\0\xff")), "a\0\xff", 'content';

for my $max (undef, 5) {
    my $copy = Memfd->new_sealed_copy('name', $sized, $max);
    $copy->check_seals(Memfd::SEAL_IMMUTABLE | Memfd::SEAL_SEAL);
    is readline $copy, "\0" x 5, 'copy';
}
is Memfd::parse_seals(''),    0,            'no name';
is Memfd::format_seals(0x48), 'write,0x40', 'names of seals';

my $closed = Memfd->new('name');
my $fd     = fileno $closed;
close $closed;
for (
    ['wide character in the data',        sub { Memfd->new_sealed('name', 'ł') }],
    ['the data is not a string',          sub { Memfd->new_sealed('name', ['a']) }],
    ['the data is not a string',          sub { Memfd->new_sealed('name', undef) }],
    ['not a string',                      sub { Memfd->new(undef) }],
    ['invalid flag: 1.5',                 sub { Memfd->new('name', 1.5) }],
    ['invalid flag: -1',                  sub { Memfd->new('name', -1) }],
    ['not a whole number',                sub { Memfd->new_sized('name', 'five') }],
    ['not a whole number',                sub { Memfd->new_sized('name', 2**65) }],
    ['not a whole number',                sub { Memfd->new_sealed_copy('name', $pipe, -1) }],
    ['null byte in a string',             sub { Memfd->new("a\0b") }],
    ['null byte in a string',             sub { Memfd->new('name', "exec\0x") }],
    ['4294967296 is too large',           sub { Memfd->new('name', 1 << 32) }],
    ['18446744073709551616 is too large', sub { Memfd->new_sized('name', '18446744073709551616') }],
    ['4294967296 is too large',           sub { Memfd::seal(1 << 32, 8) }],
    ['4294967296 is too large',           sub { Memfd::format_seals(1 << 32) }],
    ['not a whole number',                sub { Memfd::seal('STDIN', 8) }],
    ['not a string',                      sub { $sized->seal(undef) }],
    ['no seal is named',                  sub { $sized->seal(', ') }],
    ['no seal is named',                  sub { $sized->check_seals('') }],
    ['invalid seal: frozen',              sub { Memfd::parse_seals("write\tfrozen") }],
    ['invalid flag: spärkling',           sub { Memfd->new('name', 'exec|spärkling exec') }],
    ['Bad file descriptor',               sub { $closed->get_seals }],
    ['memfd_get_seals: Bad file descriptor',  sub { Memfd::get_seals($fd) }],
    ['memfd_new_sealed_copy: File too large', sub { Memfd->new_sealed_copy('name', $sized, 4) }],
  )
{
    my ($error, $action) = @$_;
    is reason($action), $error, $error;
}
ok $!{EFBIG}, 'errno';

# Every error leaves nothing open, and each thread has its own errno.
sub failures {
    my ($error, $action) = @_;
    return scalar grep {
        eval { $action->() };
        $!{$error}
    } 1 .. 1000;
}
my $before  = descriptors;
my @threads = map { threads->create(\&failures, @$_) } (
    [EINVAL => sub { Memfd->new($long) }],
    [EINVAL => sub { Memfd->new_sized('name', 1, 0x40000000) }],
    [EINVAL => sub { Memfd->new_sealed('name', 'text', 'hugetlb') }],
    [ESPIPE => sub { Memfd->new_sealed_copy('name', $pipe) }],
    [EBADF  => sub { Memfd::get_seals(99) }],
    [ENOENT => sub { my $file = Memfd->new('name'); stat '/nonexistent' or die }],
);
is $_->join,    1000,    'each thread has its own errno' for @threads;
is descriptors, $before, 'nothing is left open';

local $SIG{ALRM} = sub { die "interrupted\n" };
for my $i (1 .. 1000) {
    eval {
        setitimer(ITIMER_REAL, (20 + $i % 50) / 1e6);
        while (1) { my $file = Memfd->new('name') }
    };
    $@ eq "interrupted\n" or die $@;
}
is descriptors, $before, 'nor when a signal handler dies';

done_testing;
