/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/user/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/bytes.h"
#include "appliance/base/memfd.h"
#include "appliance/base/utf8.h"
#include "appliance/wire/leaked.h"
#include "mgmt/cli/shut/shut.h"

#define FILE_MB 400u /* MiB; the list made of it needs room beside it (shut.c) */
#define FILE_MOST ((size_t)FILE_MB << 20)
#define ROOM (2u * LEAKED_MOST)
#define SHA1_DIGITS 40u
/* characters and bytes: the shortest that the box accepts (accounts/passphrase.h) */
#define PHRASE_LEAST 16u
#define PHRASE_BYTES 256u
#define FACTS 32u /* bytes before the list that describe it */

struct found {
	uint64_t *all, *spare;
	size_t room, n; /* room: places in each array; n: entries in `all` */
	bool too_many;
	struct leaked_lines lines;
};

/* Radix sort from the last byte to the first: digests are evenly spread, so all inputs take equally
 * long. */
static void sort(struct found *f)
{
	for (unsigned byte = 0; byte < LEAKED_PREFIX; byte++) {
		size_t at[256] = { 0 }, sum = 0;
		uint64_t *other = f->spare;

		for (size_t i = 0; i < f->n; i++)
			at[f->all[i] >> (8 * byte) & 255u]++;
		for (unsigned v = 0; v < 256; v++) {
			size_t own = at[v];

			at[v] = sum;
			sum += own;
		}
		for (size_t i = 0; i < f->n; i++)
			other[at[f->all[i] >> (8 * byte) & 255u]++] = f->all[i];
		f->spare = f->all;
		f->all = other;
	}
}

static void sort_once(struct found *f)
{
	size_t n = 0;

	sort(f);
	for (size_t i = 0; i < f->n; i++)
		if (n == 0 || f->all[n - 1] != f->all[i])
			f->all[n++] = f->all[i];
	f->n = n;
}

static void add_found(struct found *f, const uint8_t prefix[LEAKED_PREFIX])
{
	struct bytes b = bytes_of(prefix, LEAKED_PREFIX);

	if (f->n == f->room)
		sort_once(f);
	f->too_many = f->too_many || f->n == f->room;
	if (!f->too_many)
		bytes_be64(&b, &f->all[f->n++]);
}

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* HASH or HASH:COUNT: the number of digits of the hash; 0: no hash. */
static size_t hash_digits(const char *line, size_t n)
{
	size_t digits = 0;

	while (digits < n && digit(line[digits]) >= 0)
		digits++;
	if (digits < n && (line[digits] != ':' || n == digits + 1))
		return 0;
	for (size_t i = digits + 1; i < n; i++)
		if (line[i] < '0' || line[i] > '9')
			return 0;
	return digits;
}

static bool is_hash(const char *line, size_t n, uint8_t prefix[LEAKED_PREFIX])
{
	if (hash_digits(line, n) != SHA1_DIGITS)
		return false;
	for (size_t i = 0; i < LEAKED_PREFIX; i++)
		prefix[i] = (uint8_t)(digit(line[2 * i]) << 4 | digit(line[2 * i + 1]));
	return true;
}

/*
 * Whether the line is a hash of another kind: NTLM, MD5, SHA-1 without its first five digits (as in
 * lists that are queried by these digits), SHA-224 to SHA-512. If such lines were read as
 * passphrases, the list would refuse nobody.
 */
static bool is_other_hash(const char *line, size_t n)
{
	static const size_t others[] = { 32, 35, 56, 64, 96, 128 };
	size_t digits = hash_digits(line, n);

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (digits == others[i])
			return true;
	return false;
}

static bool could_be_one(const char *line, size_t n)
{
	struct bytes b = bytes_of(line, n);
	struct utf8_char c;
	size_t characters = 0;

	if (n < PHRASE_LEAST || n > PHRASE_BYTES || !utf8_is_plain(b))
		return false;
	while (utf8_next(&b, &c))
		characters++;
	return characters >= PHRASE_LEAST;
}

static void take_line(struct found *f, const char *line, size_t n)
{
	uint8_t prefix[LEAKED_PREFIX];

	if (n > 0 && line[n - 1] == '\r')
		n--;
	if (n == 0)
		return;
	if (!is_hash(line, n, prefix)) {
		bool other = is_other_hash(line, n);

		f->lines.other_hashes += other;
		if (other || !could_be_one(line, n)) {
			f->lines.passed_over++;
			return;
		}
		leaked_prefix(line, n, prefix);
	}
	f->lines.taken++;
	add_found(f, prefix);
}

static void take_lines(struct found *f, const char *text, size_t n)
{
	while (n > 0 && !f->too_many) {
		const char *end = memchr(text, '\n', n);
		size_t line = end != NULL ? (size_t)(end - text) : n;

		take_line(f, text, line);
		line += end != NULL;
		text += line;
		n -= line;
	}
	sort_once(f);
	f->too_many = f->too_many || f->n > LEAKED_MOST;
}

static uint8_t *form(const struct found *f, size_t *ret_n)
{
	size_t n = LEAKED_HEAD + f->n * LEAKED_PREFIX;
	struct leaked_head head = { .count = f->n };
	uint8_t *p = malloc(n), chain[32];
	struct outbuf o;

	if (p == NULL)
		return NULL;
	o = outbuf_of(p + LEAKED_HEAD, n - LEAKED_HEAD);
	for (size_t i = 0; i < f->n; i++)
		out_be64(&o, f->all[i]);
	leaked_begin(head.count, chain);
	for (size_t at = LEAKED_HEAD; at < n; at += LEAKED_BLOCK)
		leaked_fold(chain, p + at, n - at < LEAKED_BLOCK ? n - at : LEAKED_BLOCK);
	leaked_end(chain, head.loaded, head.digest);
	leaked_head_write(&head, p);
	*ret_n = n;
	return p;
}

uint8_t *leaked_list(const char *text, size_t n, size_t *ret_n, bool *ret_too_many, struct leaked_lines *ret)
{
	/* No accepted line is shorter. */
	size_t room = n / PHRASE_LEAST + 1 < ROOM ? n / PHRASE_LEAST + 1 : ROOM;
	struct found f = { .all = calloc(room, sizeof(uint64_t)),
			   .spare = calloc(room, sizeof(uint64_t)),
			   .room = room };
	uint8_t *p = NULL;

	*ret_n = 0;
	*ret_too_many = false;
	if (f.all != NULL && f.spare != NULL) {
		take_lines(&f, text, n);
		*ret = f.lines;
		*ret_too_many = f.too_many;
		p = f.n > 0 && !f.too_many ? form(&f, ret_n) : malloc(1);
	}
	free(f.all);
	free(f.spare);
	return p;
}

/* ---- in a separate process ------------------------------------------------------------------- */

struct text {
	const char *p;
	size_t n;
};

static bool work(void *ctx, uint8_t **ret, size_t *ret_n)
{
	const struct text *t = ctx;
	struct leaked_lines lines = { 0 };
	bool too_many;
	size_t n;
	uint8_t *list = leaked_list(t->p, t->n, &n, &too_many, &lines), *all = list != NULL ? malloc(FACTS + n) : NULL;
	struct outbuf o;

	if (all != NULL) {
		o = outbuf_of(all, FACTS + n);
		out_be64(&o, lines.taken);
		out_be64(&o, lines.passed_over);
		out_be64(&o, lines.other_hashes);
		out_be64(&o, too_many);
		out_bytes(&o, list, n);
		*ret = all;
		*ret_n = FACTS + n;
	}
	free(list);
	return all != NULL;
}

/* The result of the process, which a hostile file may have taken over: the box checks the list
 * again. */
static int take_over(struct cli *c, const char *path, const uint8_t *p, size_t n, int *ret_fd, struct leaked_lines *ret)
{
	struct bytes b = bytes_of(p, n);
	uint64_t taken, passed_over, other_hashes, too_many;

	bytes_be64(&b, &taken);
	bytes_be64(&b, &passed_over);
	bytes_be64(&b, &other_hashes);
	if (!bytes_be64(&b, &too_many))
		return cli_fail(c, CLI_CANNOT, M_LEAKED_UNREAD, path);
	if (too_many != 0)
		return cli_fail(c, CLI_INVALID, M_LEAKED_LONG, path, LEAKED_MOST, FILE_MB);
	if (other_hashes > taken)
		return cli_fail(c, CLI_INVALID, M_LEAKED_OTHER, path, (unsigned long long)other_hashes);
	if (b.left == 0)
		return cli_fail(c, CLI_INVALID, M_LEAKED_EMPTY, path);
	*ret = (struct leaked_lines){ taken, passed_over, other_hashes };
	*ret_fd = memfd_sealed("leaked", b.p, b.left);
	return *ret_fd >= 0 ? CLI_YES : cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
}

static int read_apart(struct cli *c, const char *path, struct text t, int *ret_fd, struct leaked_lines *ret)
{
	uint8_t *p;
	size_t n;
	int status;

	if (!apart(work, &t, FACTS + LEAKED_BYTES_MOST, &p, &n))
		return cli_fail(c, CLI_CANNOT, M_LEAKED_UNREAD, path);
	status = take_over(c, path, p, n, ret_fd, ret);
	free(p);
	return status;
}

int leaked_file(struct cli *c, const char *path, int *ret_fd, struct leaked_lines *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), status;
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		int code = fd < 0 ? errno : EINVAL;

		if (fd >= 0)
			close(fd);
		return cli_fail_file(c, CLI_CANNOT, path, code);
	}
	if (st.st_size == 0 || (uint64_t)st.st_size > FILE_MOST) {
		close(fd);
		return st.st_size == 0 ? cli_fail(c, CLI_INVALID, M_LEAKED_EMPTY, path)
				       : cli_fail(c, CLI_INVALID, M_LEAKED_LONG, path, LEAKED_MOST, FILE_MB);
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	status = read_apart(c, path, (struct text){ p, (size_t)st.st_size }, ret_fd, ret);
	munmap(p, (size_t)st.st_size);
	return status;
}
