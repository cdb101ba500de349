/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nettle/eddsa.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/err.h"
#include "appliance/base/sha256.h"

#define KEY "key"
#define KEY_NEW "key.new"
#define PEM "checkpoint.pem"
#define PEM_NEW "checkpoint.pem.new"
#define FRONT "sekisho-journal-key-1 "
/* front, secret, space, public key, newline */
#define KEY_TEXT (sizeof(FRONT) - 1 + 64 + 1 + 64 + 1)

static void key_text(const struct signer *s, char out[KEY_TEXT + 1])
{
	char secret[65], public[65];

	hex_text(s->secret, sizeof(s->secret), secret);
	hex_text(s->public, sizeof(s->public), public);
	snprintf(out, KEY_TEXT + 1, FRONT "%s %s\n", secret, public);
	explicit_bzero(secret, sizeof(secret));
}

/* Reads the secret. The whole text is then made again from the secret, and must be equal. */
static bool key_parse(const char *text, size_t n, struct signer *s)
{
	char again[KEY_TEXT + 1];
	bool same;

	if (n != KEY_TEXT || !hex_digits(text + sizeof(FRONT) - 1, s->secret, sizeof(s->secret)))
		return false;
	ed25519_sha512_public_key(s->public, s->secret);
	key_text(s, again);
	same = memcmp(again, text, KEY_TEXT) == 0;
	explicit_bzero(again, sizeof(again));
	return same;
}

/*
 * 1 = read; 0 = there is something that is no key; -ENOENT = there is nothing; another negative
 * errno = it cannot be read, because of its permissions or of the disk. In the last case it may be
 * the key, and the fault may be repaired.
 */
static int read_key(int keys, struct signer *s)
{
	int fd = openat(keys, KEY, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), r;
	char text[KEY_TEXT + 1];
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? 0 : -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return 0;
	}
	n = read(fd, text, sizeof(text));
	r = n < 0 ? -errno : key_parse(text, (size_t)n, s);
	explicit_bzero(text, sizeof(text));
	close(fd);
	return r;
}

/* Replaces the file atomically, so that a power cut leaves the old or the new one. */
static int write_file(int dirfd, const char *name, const char *as, const char *text, mode_t mode, struct err *e)
{
	size_t n = strlen(text);
	int fd, code = 0;
	ssize_t w;

	unlinkat(dirfd, as, 0);
	fd = openat(dirfd, as, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, -errno, "make %s", name);
	w = write(fd, text, n);
	if (w != (ssize_t)n)
		code = w < 0 ? -errno : -ENOSPC;
	else if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		code = -errno;
	close(fd);
	if (code == 0 && (renameat(dirfd, as, dirfd, name) < 0 || fsync(dirfd) < 0))
		code = -errno;
	if (code == 0)
		return 0;
	unlinkat(dirfd, as, 0);
	return err_set(e, code, "write %s", name);
}

static int make_key(int keys, struct signer *s, struct err *e)
{
	char text[KEY_TEXT + 1];
	int r;

	if (getrandom(s->secret, sizeof(s->secret), 0) != (ssize_t)sizeof(s->secret))
		return err_set(e, -EIO, "random bytes for a key");
	ed25519_sha512_public_key(s->public, s->secret);
	key_text(s, text);
	r = write_file(keys, KEY, KEY_NEW, text, 0600, e);
	explicit_bzero(text, sizeof(text));
	return r;
}

static int set_aside(int keys, struct err *e)
{
	char name[48];

	snprintf(name, sizeof(name), "damaged-%" PRIu64, clock_wall_ns());
	if (renameat(keys, KEY, keys, name) < 0)
		return err_set(e, -errno, "set the damaged signing key aside");
	return 0;
}

/* Writes the public key beside the records. A failure does not matter, because it can be derived
 * from the key. */
static void keep_pem(int records, const struct signer *s)
{
	char pem[CHECKPOINT_PEM], there[CHECKPOINT_PEM + 1] = "";
	int fd = openat(records, PEM, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct err e = { 0 };
	ssize_t n = -1;

	checkpoint_pem(s->public, pem);
	if (fd >= 0) {
		n = read(fd, there, sizeof(there));
		close(fd);
	}
	if (n != (ssize_t)strlen(pem) || memcmp(there, pem, (size_t)n) != 0) {
		if (write_file(records, PEM, PEM_NEW, pem, 0640, &e) < 0)
			fprintf(stderr, "sekishod journal: %s\n", e.text);
	}
}

int signer_open(int keys, int records, struct signer *s, bool *ret_lost, struct err *why)
{
	int r = read_key(keys, s);

	*ret_lost = false;
	s->ready = false;
	if (r < 0 && r != -ENOENT)
		return err_set(why, r, "read the signing key");
	if (r != 1) {
		bool damaged = r == 0;
		struct stat st;

		*ret_lost = damaged || fstatat(records, PEM, &st, AT_SYMLINK_NOFOLLOW) == 0;
		r = damaged ? set_aside(keys, why) : 0;
		if (r == 0)
			r = make_key(keys, s, why);
		if (r < 0) {
			/* Nothing was replaced yet, so the next call finds the same state, except
			 * that a damaged file was set aside. */
			explicit_bzero(s->secret, sizeof(s->secret));
			return r;
		}
		if (*ret_lost)
			err_set(why, damaged ? -EBADMSG : -ENOENT, "read the signing key");
	}
	keep_pem(records, s);
	s->ready = true;
	return 0;
}

void signer_sign(const struct signer *s, const char *text, size_t n, uint8_t out[CHECKPOINT_SIGNATURE])
{
	ed25519_sha512_sign(s->public, s->secret, n, (const uint8_t *)text, out);
}
