/* SPDX-License-Identifier: MIT */

/* Make each call once: count.py counts what happens until ended(). */

#include "../shared/calls.h"

#include <err.h>
#include <sys/syscall.h>

void ended(void);

__attribute__((noinline)) void ended(void)
{
	__asm__ volatile("");
}

int main(void)
{
	const struct call *call;

	/* Where the flags are not known, all costs are others. */
	if (syscall(SYS_memfd_create, NULL, MEMFD_NOEXEC_SEAL) < 0 &&
	    errno == EINVAL)
		return 77;

	if (!open_files())
		err(1, "files to call with");
	for (call = calls; call < calls + CALLS; call++) {
		int returned;

		errno = UNTOUCHED;
		returned = call->function();
		ended();
		if (!is_right(call, returned))
			err(1, "%s", call->name);
	}
	return 0;
}
