/* SPDX-License-Identifier: MIT */

/*
 * What the library makes of each argument, one a line, with tabs between: the
 * argument; its number as a flag; its number as a seal; the name of that seal;
 * and the mode and seals of a new memfd with this flag, or the error. "-" where
 * there is none.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memfd.h>

static void show(int failed, unsigned int number)
{
	if (failed)
		printf("\t-");
	else
		printf("\t0x%x", number);
}

static void show_new(const char *flags)
{
	char seals[MEMFD_SEALS_STRLEN];
	struct stat st;
	int fd;

	fd = memfd_new_str("parse", flags);
	if (fd < 0 || fstat(fd, &st) < 0 ||
	    memfd_get_seals_str(fd, seals, sizeof(seals)) < 0)
		printf("\t%d\n", errno);
	else
		printf("\t%04o %s\n", (unsigned int)(st.st_mode & 0777), seals);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	char text[MEMFD_SEALS_STRLEN];
	unsigned int number;
	int i, failed;

	for (i = 1; i < argc; i++) {
		printf("%s", argv[i]);
		failed = memfd_parse_flags(argv[i], &number, NULL);
		show(failed, number);
		failed = memfd_parse_seals(argv[i], &number, NULL);
		show(failed, number);
		if (!failed)
			memfd_format_seals(number, text, sizeof(text));
		printf("\t%s", failed ? "-" : text);
		show_new(argv[i]);
	}
	return 0;
}
