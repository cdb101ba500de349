/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/leaked.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"

#define NAME "leaked"
#define ASIDE "leaked.damaged"
#define BESIDE ".leaked.new"
#define BY "leaked.by" /* file name: when the list was loaded, and by whose order */
#define LOADED_BY (LEAKED_BY + 32u)
#define STEP_BLOCKS 16u /* a MiB */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define BLOCK_ENTRIES (LEAKED_BLOCK / LEAKED_PREFIX)

static int read_at(int fd, uint8_t *p, size_t n, uint64_t at)
{
	while (n > 0) {
		ssize_t r = pread(fd, p, n, (off_t)at);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -EBADMSG;
		p += r;
		n -= (size_t)r;
		at += (uint64_t)r;
	}
	return 0;
}

static int write_at(int fd, const uint8_t *p, size_t n, uint64_t at)
{
	while (n > 0) {
		ssize_t w = pwrite(fd, p, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w < 0 ? -errno : -EIO;
		p += w;
		n -= (size_t)w;
		at += (uint64_t)w;
	}
	return 0;
}

static int read_head(int fd, struct leaked_head *ret)
{
	uint8_t head[LEAKED_HEAD];
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)LEAKED_HEAD)
		return -EBADMSG;
	r = read_at(fd, head, sizeof(head), 0);
	if (r == 0 && !leaked_head_read(head, (uint64_t)st.st_size, ret))
		r = -EBADMSG;
	return r;
}

/* Reads the block at l->done into l->block, checks that it is sorted, and adds it to the digest.
 * Returns the number of entries or negative errno. */
static int take_block(struct leaked *l, int fd)
{
	uint64_t left = l->head.count - l->done;
	size_t n = left < BLOCK_ENTRIES ? (size_t)left : BLOCK_ENTRIES;
	int r = read_at(fd, l->block, n * LEAKED_PREFIX, LEAKED_HEAD + l->done * LEAKED_PREFIX);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *entry = l->block + i * LEAKED_PREFIX;

		if (l->done + i > 0 && memcmp(l->last, entry, LEAKED_PREFIX) >= 0)
			return -EBADMSG;
		memcpy(l->last, entry, LEAKED_PREFIX);
	}
	leaked_fold(l->chain, l->block, n * LEAKED_PREFIX);
	return (int)n;
}

static void chain_begin(struct leaked *l)
{
	l->done = 0;
	leaked_begin(l->head.count, l->chain);
}

static bool digest_fits(const struct leaked *l)
{
	uint8_t digest[32];

	leaked_end(l->chain, l->head.loaded, digest);
	return memcmp(digest, l->head.digest, sizeof(digest)) == 0;
}

/* Checks the whole file, from its head to its digest. */
static int check_file(struct leaked *l, int fd)
{
	int r = read_head(fd, &l->head);

	if (r < 0)
		return r;
	chain_begin(l);
	while (l->done < l->head.count) {
		r = take_block(l, fd);
		if (r < 0)
			return r;
		l->done += (uint64_t)r;
	}
	return digest_fits(l) ? 0 : -EBADMSG;
}

static bool file_stands(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Who loaded the present list. A note about another list (its time differs), or a damaged one, is
 * ignored. */
static void read_by(struct leaked *l)
{
	uint8_t *text = NULL;
	char stamp[24];
	size_t n, at;
	struct err e;

	l->by[0] = '\0';
	if (file_read(l->dirfd, BY, LOADED_BY, &text, &n, &e) < 0)
		return;
	at = (size_t)snprintf(stamp, sizeof(stamp), "%llu ", (unsigned long long)l->loaded);
	if (n > at && n - at < LEAKED_BY && memcmp(text, stamp, at) == 0 && memchr(text, '\0', n) == NULL)
		memcpy(l->by, text + at, n - at + 1);
	free(text);
}

void leaked_ordered_by(struct leaked *l, const char *by)
{
	char text[LOADED_BY];
	struct err e;
	int n = snprintf(text, sizeof(text), "%llu %.*s", (unsigned long long)l->loaded, (int)LEAKED_BY - 1, by);

	if (atomic_write(l->dirfd, BY, text, (size_t)n, &e) < 0)
		l->by[0] = '\0';
	else
		snprintf(l->by, sizeof(l->by), "%s", by);
}

static void set_aside(struct leaked *l)
{
	l->by[0] = '\0';
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->count = l->loaded = 0;
	l->damaged = true;
	file_aside(l->dirfd, NAME);
}

int leaked_open(struct leaked *l, int dirfd, bool *ret_damaged, struct err *e)
{
	int fd, r;

	*ret_damaged = false;
	memset(l, 0, sizeof(*l));
	l->dirfd = dirfd;
	l->fd = l->in = l->out = -1;
	/* Left by a load that a power cut or the end of the role interrupted. */
	unlinkat(dirfd, BESIDE, 0);
	fd = openat(dirfd, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	r = fd < 0 ? -errno : check_file(l, fd);
	if (r == 0) {
		l->fd = fd;
		l->count = l->head.count;
		l->loaded = l->head.loaded;
		read_by(l);
		return 0;
	}
	if (fd >= 0)
		close(fd);
	if (file_for_now(r))
		return err_set(e, r, "the file %s", NAME);
	if (r == -ENOENT) {
		/* The file may have been set aside before, without a record: at an earlier start,
		 * or when the folder was opened. */
		*ret_damaged = l->damaged = file_stands(dirfd, ASIDE);
		return 0;
	}
	set_aside(l);
	*ret_damaged = true;
	return 0;
}

/* 1 or 0: whether the hash is in the list; negative: the file has changed since it was opened. */
static int search(const struct leaked *l, const uint8_t wanted[LEAKED_PREFIX])
{
	uint8_t least[LEAKED_PREFIX], most[LEAKED_PREFIX], entry[LEAKED_PREFIX];
	uint64_t low = 0, high = l->count;
	bool below = false, above = false;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		int r = read_at(l->fd, entry, sizeof(entry), LEAKED_HEAD + middle * LEAKED_PREFIX);
		int order;

		if (r < 0)
			return r;
		order = memcmp(entry, wanted, LEAKED_PREFIX);
		if ((below && memcmp(entry, least, LEAKED_PREFIX) <= 0) ||
		    (above && memcmp(entry, most, LEAKED_PREFIX) >= 0))
			return -EBADMSG;
		if (order == 0)
			return 1;
		if (order < 0) {
			low = middle + 1;
			below = true;
			memcpy(least, entry, LEAKED_PREFIX);
		} else {
			high = middle;
			above = true;
			memcpy(most, entry, LEAKED_PREFIX);
		}
	}
	return 0;
}

bool leaked_has(struct leaked *l, const char *phrase, bool *ret_damaged)
{
	uint8_t wanted[LEAKED_PREFIX];
	int r;

	*ret_damaged = false;
	if (l->fd < 0)
		return false;
	leaked_prefix(phrase, strlen(phrase), wanted);
	r = search(l, wanted);
	explicit_bzero(wanted, sizeof(wanted));
	if (r < 0 && !file_for_now(r)) {
		set_aside(l);
		*ret_damaged = true;
	}
	return r == 1;
}

/* ---- a new list ------------------------------------------------------------------------------ */

static void give_up(struct leaked *l)
{
	if (l->in >= 0)
		close(l->in);
	if (l->out >= 0) {
		close(l->out);
		unlinkat(l->dirfd, BESIDE, 0);
	}
	l->in = l->out = -1;
}

int leaked_take(struct leaked *l, int memfd)
{
	int seals = fcntl(memfd, F_GET_SEALS), r;

	if (l->in >= 0)
		return -EBUSY;
	/* Only a sealed memfd has seals: a file on somebody's disk could change or block
	 * under us. */
	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EBADMSG;
	r = read_head(memfd, &l->head);
	if (r < 0)
		return r;
	l->in = fcntl(memfd, F_DUPFD_CLOEXEC, 0);
	if (l->in < 0)
		return -errno;
	l->out = openat(l->dirfd, BESIDE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->out < 0) {
		r = -errno;
		give_up(l);
		return r;
	}
	chain_begin(l);
	return 0;
}

/* The list is whole: writes its head, with the time in it, and puts it in place. */
static int finish_file(struct leaked *l, uint64_t wall_s)
{
	uint8_t head[LEAKED_HEAD];
	int r;

	if (!digest_fits(l))
		return -EBADMSG;
	l->head.loaded = wall_s;
	leaked_end(l->chain, wall_s, l->head.digest);
	leaked_head_write(&l->head, head);
	r = write_at(l->out, head, sizeof(head), 0);
	if (r == 0 && (fsync(l->out) < 0 || renameat(l->dirfd, BESIDE, l->dirfd, NAME) < 0))
		r = -errno;
	if (r < 0)
		return r;
	/* If the power fails before this is on the disk, the former list is still there; it is
	 * whole, too. */
	fsync(l->dirfd);
	if (l->fd >= 0)
		close(l->fd);
	close(l->in);
	l->fd = l->out;
	l->in = l->out = -1;
	l->count = l->head.count;
	l->loaded = wall_s;
	l->by[0] = '\0';
	l->damaged = false;
	unlinkat(l->dirfd, ASIDE, 0);
	return 0;
}

int leaked_step(struct leaked *l, uint64_t wall_s)
{
	int r = 0;

	for (unsigned i = 0; i < STEP_BLOCKS && r >= 0 && l->done < l->head.count; i++) {
		uint64_t at = LEAKED_HEAD + l->done * LEAKED_PREFIX;

		r = take_block(l, l->in);
		if (r < 0)
			break;
		l->done += (uint64_t)r;
		r = write_at(l->out, l->block, (size_t)r * LEAKED_PREFIX, at);
	}
	/* Synced in small steps: dirty pages count as memory of this role. */
	if (r >= 0 && fdatasync(l->out) < 0)
		r = -errno;
	if (r >= 0 && l->done < l->head.count)
		return 1;
	if (r >= 0)
		r = finish_file(l, wall_s);
	if (r < 0)
		give_up(l);
	return r;
}

int leaked_remove(struct leaked *l)
{
	if (l->in >= 0)
		return -EBUSY;
	if (l->fd < 0 && !l->damaged)
		return -ENOENT;
	if ((unlinkat(l->dirfd, NAME, 0) < 0 && errno != ENOENT) || fsync(l->dirfd) < 0)
		return -errno;
	/* A file that was set aside may be a folder. */
	if (unlinkat(l->dirfd, ASIDE, 0) < 0 && unlinkat(l->dirfd, ASIDE, AT_REMOVEDIR) < 0 && errno != ENOENT &&
	    file_stands(l->dirfd, ASIDE))
		return -errno;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->count = l->loaded = 0;
	l->by[0] = '\0';
	unlinkat(l->dirfd, BY, 0);
	l->damaged = false;
	return 0;
}

void leaked_close(struct leaked *l)
{
	give_up(l);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
