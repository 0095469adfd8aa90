/* SPDX-License-Identifier: MIT */

/*
 * Make each call once, between two lines on standard output: its limit and the
 * call before, "end" after. count.py counts what happens in between.
 */

#include "../shared/calls.h"
#include "../shared/tap.h"

#include <sys/syscall.h>

/* Seen by callgrind as a function. */
void mark(const char *what);

__attribute__((noinline)) void mark(const char *what)
{
	printf("%s\n", what);
}

int main(void)
{
	const struct call *call;

	/* Where the flags are not known, all costs are others. */
	if (syscall(SYS_memfd_create, NULL, MEMFD_NOEXEC_SEAL) < 0 &&
	    errno == EINVAL)
		return 77;

	need(open_files(), "files to call with");
	for (call = calls; call < calls + CALLS; call++) {
		char what[128];
		int returned;

		snprintf(what, sizeof(what), "%d %s", call->most, call->name);
		mark(what);
		errno = UNTOUCHED;
		returned = call->function();
		mark("end");
		need(is_right(call, returned), call->name);
	}
	return 0;
}
