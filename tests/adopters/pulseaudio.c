// SPDX-License-Identifier: MIT
/* PulseAudio's memory for sound, which is passed on by its descriptor. */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif
#include <errno.h>
#include <memfd.h>
#include <unistd.h>
#include <sys/mman.h>
#include <pulsecore/core-error.h>
#include <pulsecore/core-util.h>
#include <pulsecore/log.h>
#include <pulsecore/random.h>
#include <pulsecore/shm.h>

int pa_shm_create_rw_without_memfd(pa_shm *m, pa_mem_type_t type, size_t size,
				   mode_t mode);

int pa_shm_create_rw(pa_shm *m, pa_mem_type_t type, size_t size, mode_t mode)
{
	if (type != PA_MEM_TYPE_SHARED_MEMFD)
		return pa_shm_create_rw_without_memfd(m, type, size, mode);
	pa_shm_cleanup();
	pa_random(&m->id, sizeof(m->id));
	m->type = type;
	m->do_unlink = false;
	m->size = PA_PAGE_ALIGN(size);
	m->fd = memfd_new_sized("pulseaudio", MEMFD_ALLOW_SEALING, m->size, 0);
	if (m->fd < 0) {
		pa_log("memfd_new_sized() failed: %s", pa_cstrerror(errno));
		return -1;
	}
	m->ptr = mmap(NULL, m->size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_NORESERVE, m->fd, 0);
	if (m->ptr == MAP_FAILED) {
		pa_log("mmap() failed: %s", pa_cstrerror(errno));
		close(m->fd);
		return -1;
	}
	return 0;
}
