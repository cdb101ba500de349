/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/read/read.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <linux/openat2.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "appliance/base/utf8.h"
#include "policy/read/csv.h"

/* ---- a folder on disk ------------------------------------------------------------------------ */

struct folder {
	const char *path; /* path of the main text, as the operator gave it */
	const char *main; /* its last component */
	const char *dir;
};

int load_open_walk(int at, const char *name)
{
	int dir = at, fd;

	for (;;) {
		size_t n = strcspn(name, "/");
		bool last = name[n] == '\0';
		char part[256];

		if (n == 0 || n >= sizeof(part)) {
			fd = -EXDEV;
			break;
		}
		memcpy(part, name, n);
		part[n] = '\0';
		if (strcmp(part, "..") == 0) {
			fd = -EXDEV;
			break;
		}
		fd = openat(dir, part, O_CLOEXEC | O_NOFOLLOW | (last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY));
		if (fd < 0) {
			fd = -errno;
			break;
		}
		if (dir != at)
			close(dir);
		if (last)
			return fd;
		dir = fd;
		name += n + 1;
	}
	if (dir != at)
		close(dir);
	return fd;
}

/* The kernel itself keeps the name inside the folder: no "..", no link out of it, no race. */
static int open_below(const char *dir, const char *name)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (at < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, at, name, &how, sizeof(how));
	if (fd < 0)
		fd = errno == ENOSYS || errno == EPERM ? load_open_walk(at, name) : -errno;
	close(at);
	return fd;
}

/* milliseconds that a pipe may be silent, even if nobody opens its other end */
#define SILENCE_MS 5000

static int await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, SILENCE_MS);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 0;
}

/* Reads at most SOURCE_MAX bytes; a larger regular file is refused by its size. */
static int read_text(int fd, bool regular_only, struct arena *a, struct source_text *ret)
{
	struct stat st;
	char *text;
	size_t room, n = 0;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (regular_only && !S_ISREG(st.st_mode))
		return -EMEDIUMTYPE;
	if (S_ISREG(st.st_mode) && st.st_size > (off_t)SOURCE_MAX)
		return -EFBIG;
	/* The file may grow during the read, and a pipe has no size. */
	room = S_ISREG(st.st_mode) ? (size_t)st.st_size + 1 : (size_t)SOURCE_MAX + 1;
	text = arena_alloc(a, room + 1);
	if (text == NULL)
		return -ENOMEM;
	while (n < room) {
		int idle = S_ISREG(st.st_mode) ? 0 : await(fd);
		ssize_t r;

		if (idle < 0)
			return idle;
		r = read(fd, text + n, room - n);
		if (r < 0 && (errno == EINTR || (errno == EAGAIN && !S_ISREG(st.st_mode))))
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	if (n > SOURCE_MAX)
		return -EFBIG;
	if (n == room)
		return -EAGAIN; /* the file grew: more reading could give half of a write */
	ret->text = text;
	ret->size = n;
	return 0;
}

static bool is_utf8(const struct source_text *s)
{
	struct bytes b = bytes_of(s->text, s->size);
	struct utf8_char c;

	while (utf8_next(&b, &c))
		if (!c.valid)
			return false;
	return true;
}

/*
 * Excel in Japanese saves tables in CP932 by default. They are converted to UTF-8 here, where files
 * are opened: every later reader, such as the box in its sandbox, has one encoding. Text in neither
 * encoding is left, to be refused with its place.
 */
static int table_to_utf8(struct arena *a, struct source_text *s)
{
	size_t left = s->size, room;
	char *in = (char *)(uintptr_t)s->text, *out, *text;
	iconv_t cd;
	bool good;

	if (is_utf8(s))
		return 0;
	cd = iconv_open("UTF-8", "CP932");
	if (cd == (iconv_t)-1) // NOLINT(performance-no-int-to-ptr): as POSIX has it
		return 0;
	room = 3 * s->size; /* the longest growth: a one-byte half-width kana becomes three bytes */
	text = out = arena_alloc(a, room + 1);
	good = text != NULL && iconv(cd, &in, &left, &out, &room) != (size_t)-1 && left == 0;
	iconv_close(cd);
	if (text == NULL)
		return -ENOMEM;
	if ((size_t)(out - text) > SOURCE_MAX)
		return -EFBIG;
	if (good) {
		*out = '\0';
		s->text = text;
		s->size = (size_t)(out - text);
	}
	return 0;
}

static int folder_load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const struct folder *f = ctx;
	bool is_main = strcmp(name, f->main) == 0;
	int fd, r;

	/* The operator names the main text and may use a link or pipe; an included file may not be
	 * one. */
	if (is_main) {
		fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		fd = fd < 0 ? -errno : fd;
	} else {
		fd = open_below(f->dir, name);
	}
	if (fd < 0)
		return fd;
	r = read_text(fd, !is_main, a, ret);
	close(fd);
	if (r == 0 && csv_is_table(name))
		r = table_to_utf8(a, ret);
	return r;
}

static int nothing_load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	return -ENOMEM;
}

void loader_folder(const char *path, struct arena *a, struct policy_loader *ret, const char **ret_main)
{
	struct folder *f = arena_alloc(a, sizeof(*f));
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;

	*ret_main = name;
	*ret = (struct policy_loader){ NULL, nothing_load };
	if (f == NULL)
		return;
	f->path = arena_strndup(a, path, strlen(path));
	f->main = arena_strndup(a, name, strlen(name));
	f->dir = slash == NULL ? "." : slash == path ? "/" : arena_strndup(a, path, (size_t)(slash - path));
	if (f->path == NULL || f->main == NULL || f->dir == NULL)
		return;
	*ret_main = f->main;
	*ret = (struct policy_loader){ f, folder_load };
}

/* ---- a bundle of texts ----------------------------------------------------------------------- */

/* A text of the bundle; its bytes belong to the caller and have no NUL. */
struct packed {
	const char *name; /* in the arena */
	struct bytes text;
};

struct bundle {
	struct packed *texts;
	size_t n;
};

static int bundle_load(void *ctx, const char *name, struct arena *a, struct source_text *ret)
{
	const struct bundle *b = ctx;

	for (size_t i = 0; i < b->n; i++) {
		struct bytes text = b->texts[i].text;
		size_t n = text.left;
		char *copy;

		if (strcmp(b->texts[i].name, name) != 0)
			continue;
		if (n > SOURCE_MAX)
			return -EFBIG;
		copy = arena_alloc(a, n + 1);
		if (copy == NULL)
			return -ENOMEM;
		bytes_copy(&text, copy, n);
		ret->text = copy;
		ret->size = n;
		return 0;
	}
	return -ENOENT;
}

static bool read_packed(struct bytes *b, struct arena *a, struct packed *ret)
{
	struct bytes name;
	size_t n;
	char *text;

	if (!bundle_next(b, &name, &ret->text))
		return false;
	n = name.left;
	text = arena_alloc(a, n + 1);
	if (text == NULL || !bytes_copy(&name, text, n))
		return false;
	ret->name = text;
	return strlen(text) == n && scan_name_confined(text);
}

bool loader_bundle(struct bytes b, struct arena *a, struct policy_loader *ret, const char **ret_main)
{
	struct bundle *u = arena_alloc(a, sizeof(*u));
	uint32_t n = 0;

	*ret = (struct policy_loader){ 0 };
	*ret_main = NULL;
	if (u == NULL || !bundle_head(&b, &n))
		return false;
	u->texts = arena_array(a, n, sizeof(u->texts[0]));
	if (u->texts == NULL)
		return false;
	for (; u->n < n; u->n++) {
		if (!read_packed(&b, a, &u->texts[u->n]))
			return false;
		for (size_t i = 0; i < u->n; i++)
			if (strcmp(u->texts[i].name, u->texts[u->n].name) == 0)
				return false;
	}
	if (!bytes_done(&b))
		return false;
	*ret = (struct policy_loader){ u, bundle_load };
	*ret_main = u->texts[0].name;
	return true;
}
