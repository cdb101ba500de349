/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/sha256.h"
#include "appliance/journal/segment.h"

#define NEW_NAME "index.new" /* there is one at a time */
#define NAME_MOST 40u

/* What lies on the disk: of this machine's own byte order, since another's key is another one, too. */
struct stored {
	char front[24];
	uint64_t first, last; /* numbers of its records */
	uint8_t whole;	      /* else the segment is damaged, and always read */
	struct sketch sketch;
	uint8_t mac[32]; /* over all before it */
};

static const char front[sizeof(((struct stored *)0)->front)] = "sekisho-journal-index-3";

void index_key(const uint8_t secret[32], uint8_t ret[INDEX_KEY])
{
	struct hmac_sha256_ctx c;

	hmac_sha256_set_key(&c, 32, secret);
	hmac_sha256_update(&c, sizeof(front), (const uint8_t *)front);
	hmac_sha256_digest(&c, INDEX_KEY, ret);
	explicit_bzero(&c, sizeof(c));
}

static void mac_of(const uint8_t key[INDEX_KEY], const struct stored *x, uint8_t ret[32])
{
	struct hmac_sha256_ctx c;

	hmac_sha256_set_key(&c, INDEX_KEY, key);
	hmac_sha256_update(&c, offsetof(struct stored, mac), (const uint8_t *)x);
	hmac_sha256_digest(&c, 32, ret);
	explicit_bzero(&c, sizeof(c));
}

static void name_of(uint64_t first, char out[NAME_MOST])
{
	snprintf(out, NAME_MOST, "index-%020" PRIu64, first);
}

void index_remove(int dirfd, uint64_t first)
{
	char name[NAME_MOST];

	name_of(first, name);
	unlinkat(dirfd, name, 0);
}

bool index_read(int dirfd, const uint8_t key[INDEX_KEY], uint64_t first, uint64_t last, struct sketch *ret)
{
	char name[NAME_MOST];
	struct stored x;
	uint8_t mac[32];
	ssize_t n;
	int fd;

	name_of(first, name);
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	n = read(fd, &x, sizeof(x));
	close(fd);
	if (n == (ssize_t)sizeof(x)) {
		mac_of(key, &x, mac);
		if (memeql_sec(mac, x.mac, sizeof(mac)) && memcmp(x.front, front, sizeof(front)) == 0 &&
		    x.first == first && x.last == last) {
			*ret = x.sketch;
			return x.whole != 0;
		}
	}
	index_remove(dirfd, first);
	return false;
}

/* ---- making ------------------------------------------------------------------------------------------------------- */

struct index {
	struct segment *from;
	uint64_t last, next; /* its last number, and the one that comes next */
	struct stored made;
};

void index_forget(struct index **p)
{
	if (*p == NULL)
		return;
	segment_close((*p)->from);
	free(*p);
	*p = NULL;
}

static bool is_there(int dirfd, uint64_t first)
{
	char name[NAME_MOST];

	name_of(first, name);
	return faccessat(dirfd, name, F_OK, 0) == 0;
}

/* The newest closed segment below that has none: 1, 0 = there is none, or negative errno. */
static int choose(int dirfd, uint64_t open, uint64_t below, uint64_t *ret_first, uint64_t *ret_last, struct err *e)
{
	struct segment_file *list;
	size_t n;
	int r = segment_list(dirfd, &list, &n, e);

	for (size_t i = r < 0 ? 0 : n; i-- > 0 && r == 0;) {
		if (i + 1 >= n || list[i].first == open || list[i].first >= below || is_there(dirfd, list[i].first))
			continue;
		*ret_first = list[i].first;
		*ret_last = list[i + 1].first - 1;
		r = 1;
	}
	free(list);
	return r;
}

static int begin(struct index **p, int dirfd, uint64_t open, uint64_t *below, struct err *e)
{
	uint64_t first = 0, last = 0;
	struct index *x;
	int r = choose(dirfd, open, *below, &first, &last, e);

	if (r <= 0)
		return r;
	x = calloc(1, sizeof(*x));
	if (x == NULL)
		return err_set(e, -ENOMEM, "index of the journal");
	/* Whatever becomes of this one, the next is another. */
	*below = first;
	r = segment_open(dirfd, first, SEGMENT_EITHER, 0, &x->from, e);
	if (r < 0) {
		free(x);
		return r == -ENOENT ? 1 : r;
	}
	memcpy(x->made.front, front, sizeof(front));
	x->made.first = x->next = first;
	x->made.last = x->last = last;
	x->made.whole = 1;
	*p = x;
	return 1;
}

/* All of it or nothing that is ours: a torn one has no MAC, so that nothing waits for the disk. */
static int store(const struct index *x, int dirfd, struct err *e)
{
	char name[NAME_MOST];
	int fd, code = 0;
	ssize_t w;

	name_of(x->made.first, name);
	unlinkat(dirfd, NEW_NAME, 0);
	fd = openat(dirfd, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, -errno, "make " NEW_NAME);
	w = write(fd, &x->made, sizeof(x->made));
	if (w != (ssize_t)sizeof(x->made))
		code = w < 0 ? -errno : -ENOSPC;
	close(fd);
	if (code == 0 && renameat(dirfd, NEW_NAME, dirfd, name) < 0)
		code = -errno;
	if (code == 0)
		return 0;
	unlinkat(dirfd, NEW_NAME, 0);
	return err_set(e, code, "make %s", name);
}

static void take(struct index *x, const char *line, size_t n)
{
	static const char begins[] = "{\"seq\":";

	if (n < sizeof(begins) || memcmp(line, begins, sizeof(begins) - 1) != 0 ||
	    strtoull(line + sizeof(begins) - 1, NULL, 10) != x->next)
		x->made.whole = 0;
	x->next++;
	sketch_add(&x->made.sketch, line, n);
}

int index_step(struct index **p, int dirfd, const uint8_t key[INDEX_KEY], uint64_t open, uint64_t *below, struct err *e)
{
	struct index *x = *p;
	const char *line;
	size_t n = 0, read = 0;
	bool whole;
	int r = 1;

	if (x == NULL)
		return begin(p, dirfd, open, below, e);
	while (r == 1 && read < INDEX_STEP_BYTES && x->made.whole) {
		r = segment_line(x->from, &line, &n, &whole);
		if (r == 1 && whole)
			take(x, line, n);
		else if (r == 1)
			x->made.whole = 0;
		read += n + 1;
	}
	if (r == 1 && x->made.whole)
		return 1;
	if (r == -ENOMEM) {
		index_forget(p);
		return err_set(e, r, "read a segment of the journal");
	}
	/* What is not every record of it, for damage or because the disk does not answer, rules out nothing. */
	if (r < 0 || x->next != x->last + 1)
		x->made.whole = 0;
	mac_of(key, &x->made, x->made.mac);
	r = store(x, dirfd, e);
	index_forget(p);
	if (r < 0)
		*below = UINT64_MAX; /* this one again, once there is room */
	return r < 0 ? r : 1;
}
