/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/role_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NEARLY 90u     /* percent */
#define ROOM_AGAIN 85u /* percent */
#define HOUR_NS 3600000000000ull
#define DAY_S 86400u
#define BLOCK 512u /* bytes in a block of st_blocks */

int disk_read(int dirfd, struct disk_room *ret)
{
	struct statvfs s;

	if (fstatvfs(dirfd, &s) < 0)
		return -errno;
	*ret = (struct disk_room){ .bytes = (s.f_blocks - s.f_bfree + s.f_bavail) * s.f_frsize,
				   .free = s.f_bavail * s.f_frsize,
				   .files = s.f_files > 0 ? s.f_files - s.f_ffree + s.f_favail : 0,
				   .files_free = s.f_favail };
	return 0;
}

uint64_t disk_of_folder(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;
	uint64_t blocks = 0;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((e = readdir(d)) != NULL) {
		struct stat st;

		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			blocks += (uint64_t)st.st_blocks;
	}
	closedir(d);
	return blocks * BLOCK;
}

static unsigned percent(uint64_t all, uint64_t free)
{
	uint64_t used = all > free ? all - free : 0;

	return all > 0 ? (unsigned)((__uint128_t)used * 100 / all) : 0;
}

unsigned disk_used_percent(const struct disk *d)
{
	unsigned room = percent(d->room.bytes, d->room.free), files = percent(d->room.files, d->room.files_free);

	return room > files ? room : files;
}

static uint64_t used(const struct disk_room *r)
{
	return r->bytes > r->free ? r->bytes - r->free : 0;
}

/* Stores the bytes in use for each hour that has passed. Hours without a reading get the present
 * value. */
static void note_hours(struct disk *d, uint64_t now)
{
	if (d->n == 0)
		d->hour_at = now;
	for (; now >= d->hour_at; d->hour_at += HOUR_NS)
		d->used[d->n++ % DISK_HOURS] = used(&d->room);
}

enum disk_change disk_take(struct disk *d, const struct disk_room *room, uint64_t now, uint64_t wall_ns)
{
	d->known = room != NULL;
	if (room == NULL)
		return DISK_SAME;
	d->room = *room;
	note_hours(d, now);
	if (!d->near && disk_used_percent(d) >= NEARLY) {
		d->near = true;
		d->since_ns = wall_ns;
		return DISK_NEARLY_FULL;
	}
	if (d->near && disk_used_percent(d) < ROOM_AGAIN) {
		d->near = false;
		d->since_ns = 0;
		return DISK_ROOM_AGAIN;
	}
	return DISK_SAME;
}

uint64_t disk_full_in(const struct disk *d)
{
	uint64_t then, grown;

	/* The entry that the next hour will overwrite is almost a day old. */
	if (!d->known || d->n < DISK_HOURS + 1)
		return 0;
	then = d->used[d->n % DISK_HOURS];
	grown = used(&d->room) > then ? used(&d->room) - then : 0;
	if (grown == 0)
		return 0;
	grown = (uint64_t)((__uint128_t)d->room.free * DAY_S / grown);
	return grown > 0 ? grown : 1;
}
