/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/preserve/take.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "appliance/base/sha256.h"

#define KEPT (64u << 20)   /* bytes of the disk that must stay free */
#define PLACE (256u << 10) /* bytes reserved for the list: more than 2000 files */
#define NAME 128u

struct bundle {
	int dirfd, list; /* the folder; the list's file, with its reserved space */
	json_t *files, *missing;
	uint64_t bytes;
};

struct bundle *bundle_new(const char *path)
{
	struct bundle *b = calloc(1, sizeof(*b));
	int code = 0;

	if (b == NULL)
		return NULL;
	b->files = json_array();
	b->missing = json_array();
	b->dirfd = b->list = -1;
	if (mkdir(path, 0700) < 0 || (b->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0 ||
	    (b->list = openat(b->dirfd, BUNDLE_LIST, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		code = errno;
	/* Some file systems of memory sticks cannot reserve space: then the list is written without
	 * reserved space. */
	if (code == 0 && (code = posix_fallocate(b->list, 0, PLACE)) == EOPNOTSUPP)
		code = 0;
	if (code == 0)
		return b;
	if (b->list >= 0)
		unlinkat(b->dirfd, BUNDLE_LIST, 0);
	if (b->dirfd >= 0)
		rmdir(path);
	bundle_free(b);
	errno = code;
	return NULL;
}

void bundle_free(struct bundle *b)
{
	if (b == NULL)
		return;
	if (b->list >= 0)
		close(b->list);
	if (b->dirfd >= 0)
		close(b->dirfd);
	json_decref(b->files);
	json_decref(b->missing);
	free(b);
}

void bundle_miss(struct bundle *b, const char *name, enum message why)
{
	(void)json_array_append_new(b->missing,
				    json_pack("{s:o,s:s,s:s}", "file", json_text(name), "en",
					      message_format(why, LANG_EN), "ja", message_format(why, LANG_JA)));
}

void bundle_miss_code(struct bundle *b, const char *name, int code)
{
	static const struct {
		int code;
		enum message text;
	} known[] = { { ENOENT, M_FILE_ABSENT },       { ENOTDIR, M_FILE_NO_FOLDER },
		      { EACCES, M_FILE_NO_RIGHT },     { EPERM, M_FILE_NO_RIGHT },
		      { ENOSPC, M_PRESERVE_NO_ROOM },  { EDQUOT, M_PRESERVE_NO_ROOM },
		      { ELOOP, M_PRESERVE_NOT_PLAIN }, { EISDIR, M_PRESERVE_NOT_PLAIN },
		      { ENXIO, M_PRESERVE_NOT_PLAIN }, { EFBIG, M_PRESERVE_TOO_LARGE },
		      { ENOMEM, M_CLI_NO_MEMORY } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].code == code) {
			bundle_miss(b, name, known[i].text);
			return;
		}
	bundle_miss(b, name, M_PRESERVE_UNREADABLE);
}

/* 0, or an errno; a file that could not be written completely is removed. */
static int write_whole(int dirfd, const char *name, const uint8_t *p, size_t n)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), code = 0;

	if (fd < 0)
		return errno;
	while (code == 0 && n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno != EINTR)
			code = errno;
		else if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	if (code == 0 && fdatasync(fd) < 0)
		code = errno;
	if (close(fd) < 0 && code == 0)
		code = errno;
	if (code != 0)
		unlinkat(dirfd, name, 0);
	return code;
}

/* The only folder that a name may begin with. */
static bool folder_of(struct bundle *b, const char *name)
{
	const char *slash = strchr(name, '/');
	char folder[NAME];

	if (slash == NULL)
		return true;
	if ((size_t)(slash - name) >= sizeof(folder))
		return false;
	memcpy(folder, name, (size_t)(slash - name));
	folder[slash - name] = '\0';
	return mkdirat(b->dirfd, folder, 0700) == 0 || errno == EEXIST;
}

bool bundle_put(struct bundle *b, const char *name, const void *p, size_t n)
{
	int code = folder_of(b, name) ? write_whole(b->dirfd, name, p, n) : errno;
	uint8_t digest[32];
	char hex[65];

	if (code != 0) {
		bundle_miss_code(b, name, code);
		return false;
	}
	sha256(p, n, digest);
	hex_text(digest, sizeof(digest), hex);
	b->bytes += n;
	(void)json_array_append_new(
		b->files, json_pack("{s:o,s:I,s:s}", "file", json_text(name), "bytes", (json_int_t)n, "sha256", hex));
	return true;
}

bool bundle_put_json(struct bundle *b, const char *name, json_t *j)
{
	char *text = j != NULL ? json_dumps(j, JSON_INDENT(1)) : NULL;
	bool ok = false;

	if (text != NULL)
		ok = bundle_put(b, name, text, strlen(text));
	else
		bundle_miss(b, name, M_CLI_NO_MEMORY);
	free(text);
	json_decref(j);
	return ok;
}

uint64_t bundle_room(const struct bundle *b)
{
	struct statvfs v;
	uint64_t free_bytes;

	if (fstatvfs(b->dirfd, &v) < 0)
		return 0;
	free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return free_bytes > KEPT ? free_bytes - KEPT : 0;
}

const json_t *bundle_files(const struct bundle *b)
{
	return b->files;
}

const json_t *bundle_missing(const struct bundle *b)
{
	return b->missing;
}

uint64_t bundle_bytes(const struct bundle *b)
{
	return b->bytes;
}

bool bundle_close(struct bundle *b, uint8_t ret_digest[32])
{
	char *text = NULL;
	size_t n = 0, i, done = 0;
	FILE *to = open_memstream(&text, &n);
	const json_t *f;
	bool ok = to != NULL;

	if (!ok)
		return false;
	json_array_foreach(b->files, i, f)
	{
		fprintf(to, "%s  %s\n", json_string_value(json_object_get(f, "sha256")),
			json_string_value(json_object_get(f, "file")));
	}
	ok = fclose(to) == 0;
	while (ok && done < n) {
		ssize_t w = write(b->list, text + done, n - done);

		ok = w > 0 || (w < 0 && errno == EINTR);
		done += w > 0 ? (size_t)w : 0;
	}
	ok = ok && ftruncate(b->list, (off_t)n) == 0 && fsync(b->list) == 0 && fsync(b->dirfd) == 0;
	if (ok)
		sha256(text, n, ret_digest);
	free(text);
	return ok;
}

bool bundle_beside(struct bundle *b, const char *name, const void *p, size_t n)
{
	int code = write_whole(b->dirfd, name, p, n);

	errno = code;
	return code == 0 && fsync(b->dirfd) == 0;
}
