// SPDX-License-Identifier: MIT
/*
 * For a libmemfd built with -finstrument-functions: adds to the file LOG the
 * name of each function of it that somebody else calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define UNCOUNTED __attribute__((no_instrument_function))

UNCOUNTED void __cyg_profile_func_enter(void *function, void *caller);
UNCOUNTED void __cyg_profile_func_exit(void *function, void *caller);

void __cyg_profile_func_enter(void *function, void *caller)
{
	int saved = errno, fd;
	Dl_info called, by;

	/* A function that is not exported has the name of another one. */
	if (dladdr(function, &called) && called.dli_saddr == function &&
	    dladdr(caller, &by) && by.dli_fbase != called.dli_fbase) {
		fd = open(LOG, O_WRONLY | O_APPEND | O_CLOEXEC);
		dprintf(fd, "%s\n", called.dli_sname);
		close(fd);
	}
	errno = saved;
}

void __cyg_profile_func_exit(void *function, void *caller)
{
	(void)function;
	(void)caller;
}
