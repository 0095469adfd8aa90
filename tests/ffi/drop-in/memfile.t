# SPDX-License-Identifier: MIT
use v5.20;
use warnings;
use Fcntl qw(F_GETFD FD_CLOEXEC SEEK_SET);
use Test::More;
use MemFile;

my $fh = MemFile->new('buf', 'allow-seals', 'inherit');
isa_ok $fh, 'IO::Handle';
print {$fh} "one\ntwo\n";
$fh->flush;
seek $fh, 4, SEEK_SET;
is readline($fh), "two\n", 'reads what was written, from where it was put';
ok !(fcntl($fh, F_GETFD, 0) & FD_CLOEXEC), 'stays open on exec';

# Linux 6.3 and later add "exec" by themselves.
sub seals { join ' ', grep { $_ ne 'exec' } $_[0]->get_seals }

is seals($fh), '', 'has no seals';
$fh->seal('shrink', 'grow');
is seals($fh), 'shrink grow', 'has two seals';
$fh->seal(qw(write future-write seal));
is seals($fh), 'seal shrink grow write future-write', 'has every seal';
is seals(MemFile->new('buf')), 'seal', 'cannot be sealed unless asked for';

eval { $fh->seal('seal') };
like $@, qr/^memfd_seal: Operation not permitted at \Q$0\E/, 'an error of the system';
eval { MemFile->new('buf', 'allow-seals', 'sparkling', 'cloexec') };
like $@, qr/^invalid flag: sparkling at \Q$0\E/, 'an invalid flag';
eval { $fh->seal('write', 'frozen') };
like $@, qr/^invalid seal: frozen at \Q$0\E/, 'an invalid seal';

done_testing;
