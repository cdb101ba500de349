/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/memfd.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int memfd_sealed(const char *name, const void *p, size_t n)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;
	int r = 0;

	if (fd < 0)
		return -errno;
	while (done < n && r == 0) {
		ssize_t w = pwrite(fd, (const uint8_t *)p + done, n - done, (off_t)done);

		if (w < 0 && errno != EINTR)
			r = -errno;
		else if (w == 0)
			r = -EIO;
		else if (w > 0)
			done += (size_t)w;
	}
	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int memfd_read(int fd, size_t max, uint8_t **ret, size_t *ret_n, struct err *e)
{
	struct stat st;
	uint8_t *p;
	size_t size, done = 0;
	int seals = fcntl(fd, F_GET_SEALS);

	*ret = NULL;
	*ret_n = 0;
	/* Only a sealed memfd has seals. A pipe, a device or a file on somebody's disk could change
	 * or block during the read. */
	if (seals < 0 || (seals & SEALS) != SEALS)
		return err_set(e, -EPERM, "memory handed over is not sealed");
	if (fstat(fd, &st) < 0)
		return err_set(e, -errno, "size of memory handed over");
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return err_set(e, -EFBIG, "memory handed over has %lld bytes, at most %zu are taken",
			       (long long)st.st_size, max);
	size = (size_t)st.st_size;
	p = malloc(size + 1);
	if (p == NULL)
		return err_set(e, -ENOMEM, "%zu bytes handed over", size);
	while (done < size) {
		ssize_t r = pread(fd, p + done, size - done, (off_t)done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			int code = r < 0 ? -errno : -EIO;

			free(p);
			return err_set(e, code, "read memory handed over");
		}
		done += (size_t)r;
	}
	p[size] = 0; /* a text may be used as a string; the NUL is not counted */
	*ret = p;
	*ret_n = size;
	return 0;
}
