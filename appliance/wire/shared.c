/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

int shared_create(const char *name, size_t size, struct err *e)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return err_set(e, -errno, "memfd for a %s", name);
	if (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_SEAL) < 0) {
		r = err_set(e, -errno, "size of a %s", name);
		close(fd);
		return r;
	}
	return fd;
}

void *shared_map(const char *name, int fd, size_t size, struct err *e)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *p;

	if (seals < 0 || (seals & SIZE_SEALS) != SIZE_SEALS) {
		err_set(e, -EPERM, "%s is not sealed against change of size", name);
		return NULL;
	}
	if (fstat(fd, &st) < 0 || st.st_size != (off_t)size) {
		err_set(e, -EINVAL, "%s has the wrong size", name);
		return NULL;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		err_set(e, -errno, "map a %s", name);
		return NULL;
	}
	return p;
}
