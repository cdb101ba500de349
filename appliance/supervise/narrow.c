/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/narrow.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* False also when it cannot be read. */
static bool is_empty(int fd)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again >= 0 ? fdopendir(again) : NULL;
	const struct dirent *entry;
	bool empty = d != NULL;

	if (d == NULL) {
		if (again >= 0)
			close(again);
		return false;
	}
	while (empty && (entry = readdir(d)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(d);
	return empty;
}

enum narrow narrow_folder(int fd, mode_t mode)
{
	struct stat st, generations;
	bool ours;

	if (fstat(fd, &st) < 0)
		return NARROW_WIDER;
	if ((st.st_mode & 0777 & ~mode) == 0)
		return NARROW_FITS;
	ours = st.st_uid == geteuid() && (st.st_mode & S_ISVTX) == 0 &&
	       (fstatat(fd, "generations", &generations, AT_SYMLINK_NOFOLLOW) == 0 || is_empty(fd));
	return ours && fchmod(fd, st.st_mode & mode) == 0 ? NARROW_DONE : NARROW_WIDER;
}
