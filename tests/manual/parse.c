/* SPDX-License-Identifier: MIT */

/*
 * What the library makes of each argument, one a line: the argument, and its
 * number as a flag, as a seal, and the name of that seal; "-" for none.
 */

#include <stdio.h>

#include <memfd.h>

static void show(int failed, unsigned int number)
{
	if (failed)
		printf("\t-");
	else
		printf("\t0x%x", number);
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
		printf("\t%s\n", failed ? "-" : text);
	}
	return 0;
}
