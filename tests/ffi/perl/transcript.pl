# SPDX-License-Identifier: MIT
# The transcript in ../expected, from Perl.
use v5.20;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Memfd;

# What went wrong, without the name of the call and the place in the file.
sub reason {
    my ($action) = @_;
    eval { $action->(); 1 } and die 'should have been refused';
    return $@ =~ s/^memfd_\w+: | at .*//grs;
}

my $buf = Memfd->new('buf', Memfd::ALLOW_SEALING);
say 'wrote: ', syswrite($buf, 'hello'), ' bytes';
$buf->seal('seal,immutable');

# Linux 6.3 and later add SEAL_EXEC by themselves.
say 'seals: ', Memfd::format_seals($buf->get_seals & ~Memfd::SEAL_EXEC);
$buf->check_seals(Memfd::SEAL_IMMUTABLE);
say 'immutable: yes';

say 'write: ', reason(sub { syswrite $buf, 'again' or die "$!" });
say 'new: ',   reason(sub { Memfd->new('buf', 'allow-sealing,sparkling') });
say 'seal: ',  reason(sub { $buf->seal('write|frozen') });

pipe my $reader, my $writer or die $!;
say 'pipe: ', reason(sub { Memfd::check_seals($reader, 'immutable') });
my $unsealed = Memfd->new('unsealed');
say 'unsealed: ', reason(sub { $unsealed->check_seals('immutable') });
say 'sealed: ',   readline(Memfd->new_sealed('greeting', 'hello, world'));
