/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/search.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/journal/segment.h"
#include "appliance/wire/event_words.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/vocabulary.h"

#define NEW_NAME "index.new" /* only one index is made at a time */
#define NAME_MOST 40u

/* The form on the disk, in this machine's byte order. Another machine has another key, so it could
 * not use the file anyway. */
struct stored {
	char front[24];
	uint64_t first, last; /* numbers of the segment's first and last record */
	uint8_t whole;	      /* 0: the segment is damaged and always read */
	struct sketch sketch;
	uint8_t mac[32]; /* over all members before it */
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

/* ---- making ---------------------------------------------------------------------------------- */

struct index {
	struct segment *from;
	uint64_t last, next; /* the segment's last number; the expected number of the next record */
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

/* Finds the newest closed segment below `below` that has no index. 1 = found, 0 = none, or negative
 * errno. */
static int choose_segment(int dirfd, uint64_t open, uint64_t below, uint64_t *ret_first, uint64_t *ret_last,
			  struct err *e)
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

static int index_begin(struct index **p, int dirfd, uint64_t open, uint64_t *below, struct err *e)
{
	uint64_t first = 0, last = 0;
	struct index *x;
	int r = choose_segment(dirfd, open, *below, &first, &last, e);

	if (r <= 0)
		return r;
	x = calloc(1, sizeof(*x));
	if (x == NULL)
		return err_set(e, -ENOMEM, "index of the journal");
	/* The next call takes an older segment, even if this one fails. */
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

/* Writes the whole file without a sync. A torn file has no valid MAC and is ignored. */
static int index_store(const struct index *x, int dirfd, struct err *e)
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

static void index_line(struct index *x, const char *line, size_t n)
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
		return index_begin(p, dirfd, open, below, e);
	while (r == 1 && read < INDEX_STEP_BYTES && x->made.whole) {
		r = segment_line(x->from, &line, &n, &whole);
		if (r == 1 && whole)
			index_line(x, line, n);
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
	/* An index that lacks a record, because of damage or a failing disk, must not rule anything
	 * out. */
	if (r < 0 || x->next != x->last + 1)
		x->made.whole = 0;
	mac_of(key, &x->made, x->made.mac);
	r = index_store(x, dirfd, e);
	index_forget(p);
	if (r < 0)
		*below = UINT64_MAX; /* this index is made again, once there is room */
	return r < 0 ? r : 1;
}

#define TRIES 4u /* bits that one member sets in a Bloom filter */
#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

/* The kind of a name, which is part of its hash: a zone and an asset of the same name differ. */
enum name {
	NAME_ZONE = 'z',
	NAME_ASSET = 'a',
	NAME_CONDUIT = 'c',
	NAME_HOST = 'h',
	NAME_KIND = 'k',
	NAME_REASON = 'r',
	NAME_COMMAND = 'f',
	NAME_CODE = 'n',
	/* not a name: some record says which values were written or requested */
	NAME_WROTE = 'w',
};

/* ---- sets ------------------------------------------------------------------------------------ */

static uint64_t hash_of(char kind, const void *value, size_t n)
{
	const uint8_t *p = value;
	uint64_t h = (FNV_BASIS ^ (uint8_t)kind) * FNV_PRIME;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * FNV_PRIME;
	/* The low bits depend only on the last bytes, so the high bits are mixed in. */
	h ^= h >> 32;
	return h * 0x9e3779b97f4a7c15ull;
}

/* The position of the k-th bit of a member in a set of `bytes` bytes, a power of two. */
static size_t bit_of(uint64_t hash, unsigned k, size_t bytes)
{
	return (size_t)((hash >> 32) + k * ((hash & 0xffffffffu) | 1)) & (bytes * 8 - 1);
}

static void bits_put(uint8_t *set, size_t bytes, uint64_t hash)
{
	for (unsigned k = 0; k < TRIES; k++)
		set[bit_of(hash, k, bytes) / 8] |= (uint8_t)(1u << bit_of(hash, k, bytes) % 8);
}

static bool bits_hold(const uint8_t *set, size_t bytes, uint64_t hash)
{
	for (unsigned k = 0; k < TRIES; k++)
		if ((set[bit_of(hash, k, bytes) / 8] & 1u << bit_of(hash, k, bytes) % 8) == 0)
			return false;
	return true;
}

/* ---- reading lines --------------------------------------------------------------------------- */

/* The text of a key, up to its closing quote. */
static const char *text_of(const char *line, size_t n, const char *key, size_t *ret_n)
{
	const char *at = line_value(line, n, key), *end = at != NULL ? memchr(at, '"', n - (size_t)(at - line)) : NULL;

	*ret_n = end != NULL ? (size_t)(end - at) : 0;
	return end != NULL ? at : NULL;
}

static void put_name(struct sketch *s, const char *line, size_t n, const char *key, enum name kind)
{
	size_t size;
	const char *name = text_of(line, n, key, &size);

	if (name != NULL)
		bits_put(s->names, sizeof(s->names), hash_of((char)kind, name, size));
}

static void put_code(struct sketch *s, const char *line, size_t n)
{
	const char *at = line_bare(line, n, "function");
	size_t left = at != NULL ? n - (size_t)(at - line) : 0, size = 0;

	while (size < left && at[size] >= '0' && at[size] <= '9')
		size++;
	if (size > 0)
		bits_put(s->names, sizeof(s->names), hash_of((char)NAME_CODE, at, size));
}

static uint64_t host_hash(const struct addr *a)
{
	uint8_t bytes[sizeof(a->b) + 1];

	bytes[0] = a->family;
	memcpy(bytes + 1, a->b, sizeof(a->b));
	return hash_of((char)NAME_HOST, bytes, sizeof(bytes));
}

static void put_host(struct sketch *s, const char *line, size_t n, const char *key)
{
	struct addr a;

	if (line_end(line, n, key, &a))
		bits_put(s->hosts, sizeof(s->hosts), host_hash(&a));
}

static uint8_t bit_of_word(const char *line, size_t n, const char *key, unsigned most, const char *(*word)(unsigned))
{
	size_t size;
	const char *said = text_of(line, n, key, &size);

	for (unsigned i = 0; said != NULL && i < most; i++)
		if (strlen(word(i)) == size && memcmp(word(i), said, size) == 0)
			return (uint8_t)(1u << i);
	return 0;
}

static const char *severity_word(unsigned i)
{
	return event_severity_word((enum event_severity)i);
}

void sketch_add(struct sketch *s, const char *line, size_t n)
{
	const char *time = line_value(line, n, "time");

	if (time != NULL && n - (size_t)(time - line) >= SKETCH_MOMENT) {
		if (strncmp(time, s->latest, SKETCH_MOMENT) > 0)
			memcpy(s->latest, time, SKETCH_MOMENT);
		if (s->earliest[0] == '\0' || strncmp(time, s->earliest, SKETCH_MOMENT) < 0)
			memcpy(s->earliest, time, SKETCH_MOMENT);
	}
	s->severities |= bit_of_word(line, n, "severity", EVENT_SEVERITY_COUNT, severity_word);
	s->verdicts |= bit_of_word(line, n, "verdict", EVENT_VERDICT_COUNT, event_verdict_word);
	put_name(s, line, n, "kind", NAME_KIND);
	put_name(s, line, n, "reason", NAME_REASON);
	put_name(s, line, n, "function_name", NAME_COMMAND);
	put_code(s, line, n);
	if (line_bare(line, n, "wrote") != NULL)
		bits_put(s->names, sizeof(s->names), hash_of((char)NAME_WROTE, "", 0));
	put_name(s, line, n, "client_zone", NAME_ZONE);
	put_name(s, line, n, "server_zone", NAME_ZONE);
	put_name(s, line, n, "client_asset", NAME_ASSET);
	put_name(s, line, n, "server_asset", NAME_ASSET);
	put_name(s, line, n, "conduit", NAME_CONDUIT);
	put_host(s, line, n, "client");
	put_host(s, line, n, "server");
}

/* ---- questions ------------------------------------------------------------------------------- */

static bool may_name(const struct sketch *s, const char *name, enum name kind)
{
	/* A text with a quote may match beyond the end of a value, which the sketch does not
	 * cover. */
	return name[0] == '\0' || strchr(name, '"') != NULL ||
	       bits_hold(s->names, sizeof(s->names), hash_of((char)kind, name, strlen(name)));
}

/* Records and filters have no classes, so the functions of a class are taken from the present
 * tables. */
static bool may_class(const struct sketch *s, unsigned classes)
{
	for (unsigned p = 0; p < PROTO_COUNT; p++) {
		const struct vocabulary *v = vocabulary_of((enum protocol)p);

		for (unsigned i = 0; v != NULL && i < v->n_functions; i++)
			if ((v->functions[i].classes & classes) != 0 && may_name(s, v->functions[i].name, NAME_COMMAND))
				return true;
	}
	return false;
}

static bool may_command(const struct sketch *s, const struct line_filter *f)
{
	bool may = f->n_commands == 0;

	for (unsigned i = 0; i < f->n_commands && !may; i++) {
		const struct command_asked *c = &f->commands[i];

		may = may_name(s, c->word, c->by_code ? NAME_CODE : NAME_COMMAND) ||
		      (c->classes != 0 && may_class(s, c->classes));
	}
	return may;
}

/* False: no line of the segment matches. */
static bool sketch_may(const struct sketch *s, const struct line_filter *f)
{
	const char(*t)[FILTER_TEXT] = f->asked->text;
	const struct addr_range *hosts = &f->hosts;
	unsigned verdict = event_verdict_by_word(t[FILTER_VERDICT]);

	if (t[FILTER_SINCE][0] != '\0' && strncmp(s->latest, t[FILTER_SINCE], SKETCH_MOMENT) < 0)
		return false;
	if (t[FILTER_UNTIL][0] != '\0' &&
	    (s->earliest[0] == '\0' || strncmp(s->earliest, t[FILTER_UNTIL], SKETCH_MOMENT) >= 0))
		return false;
	if (f->gravity != EVENT_NOTICE && s->severities >> f->gravity == 0)
		return false;
	if (t[FILTER_VERDICT][0] != '\0' && verdict < EVENT_VERDICT_COUNT && (s->verdicts & 1u << verdict) == 0)
		return false;
	/* The sketch has single addresses, so it cannot answer for a prefix. */
	if (t[FILTER_HOST][0] != '\0' && memcmp(&hosts->lo, &hosts->hi, sizeof(hosts->lo)) == 0 &&
	    !bits_hold(s->hosts, sizeof(s->hosts), host_hash(&hosts->lo)))
		return false;
	if (t[FILTER_VALUE][0] != '\0' && !bits_hold(s->names, sizeof(s->names), hash_of((char)NAME_WROTE, "", 0)))
		return false;
	if (!may_name(s, t[FILTER_REASON], NAME_REASON) || !may_command(s, f))
		return false;
	return may_name(s, t[FILTER_ZONE], NAME_ZONE) && may_name(s, t[FILTER_ASSET], NAME_ASSET) &&
	       may_name(s, t[FILTER_CONDUIT], NAME_CONDUIT) && may_name(s, t[FILTER_KIND], NAME_KIND);
}

/* ---- reading records back -------------------------------------------------------------------- */

#define ANSWER_BYTES (8u << 20) /* bytes of one answer; for more, the reader asks again */
/* bytes that one question may search, because nobody else gets an answer meanwhile */
#define LOOK_BYTES (32u << 20)
#define ASK_BYTES (1u << 20) /* bytes between two checks whether the reader still waits */
#define SKIP_BYTES 8192u     /* bytes that a segment counts as when its sketch rules it out */

struct reading {
	json_t *list;
	uint64_t after, next;
	size_t left, bytes; /* records and bytes that are still wanted */
	size_t look;	    /* bytes that may still be searched */
	const struct line_filter *filter;
	const struct journal_patience *patience;
	size_t ask_at; /* value of `look` at which to check for a stop */
	bool over;
};

/* Whether the reader has left; checked after every ASK_BYTES of search. */
static bool is_over(struct reading *r)
{
	if (r->patience != NULL && !r->over && r->look <= r->ask_at) {
		r->ask_at = r->look > ASK_BYTES ? r->look - ASK_BYTES : 0;
		r->over = r->patience->over(r->patience->ctx);
	}
	return r->over;
}

/* Handles a line of a segment. False when enough was read. */
static bool search_line(struct reading *r, const char *text, size_t n)
{
	json_t *record;
	uint64_t seq;

	/* The number is the first member, {"seq":N, so earlier lines are skipped without parsing
	 * them. */
	if (n < 8 || memcmp(text, "{\"seq\":", 7) != 0)
		return true;
	seq = strtoull(text + 7, NULL, 10);
	if (seq <= r->after)
		return true;
	if (r->left == 0 || r->bytes < n || r->look < n || is_over(r))
		return false;
	if (r->filter != NULL && !line_filter_match(r->filter, text, n)) {
		r->look -= n;
		r->next = seq;
		return true;
	}
	record = json_loadb(text, n, 0, NULL);
	if (record == NULL)
		return true;
	json_array_append_new(r->list, record);
	r->next = seq;
	r->left--;
	r->bytes -= n;
	return r->left > 0;
}

/* Reads one segment from `offset` on. 1 = enough, 0 = its end, negative errno. */
static int segment(const struct journal *j, uint64_t first, uint64_t offset, struct reading *r)
{
	struct segment *s;
	const char *text;
	size_t n;
	bool whole;
	int ret = segment_open(j->dirfd, first, SEGMENT_EITHER, offset, &s, NULL), got;

	if (s == NULL)
		return ret;
	while (ret == 0 && (got = segment_line(s, &text, &n, &whole)) != 0) {
		if (got < 0)
			ret = got;
		else if (whole && !search_line(r, text, n))
			ret = 1;
	}
	segment_close(s);
	/* Damage ends the segment: what is before it was returned, what is behind it cannot be
	 * read. verify reports it. */
	return ret == -EBADMSG ? 0 : ret;
}

/* The offset in the current segment at which to begin. */
static uint64_t offset_after(const struct journal *j, uint64_t after)
{
	uint64_t offset = 0;

	for (size_t i = 0; i < j->n_marks && j->marks[i].seq <= after; i++)
		offset = j->marks[i].offset;
	return offset;
}

/* Whether the sketch shows that no record of the closed segment list[i] matches. */
static bool ruled_out(const struct journal *j, const struct segment_file *list, size_t i, struct reading *r)
{
	uint64_t last = list[i + 1].first - 1;
	struct sketch s;

	if (j->index_key == NULL || r->filter == NULL || list[i].first == j->first || r->look < SKIP_BYTES ||
	    !index_read(j->dirfd, j->index_key, list[i].first, last, &s) || sketch_may(&s, r->filter))
		return false;
	r->look -= SKIP_BYTES;
	if (is_over(r))
		return true;
	r->next = last > r->next ? last : r->next;
	return true;
}

json_t *journal_read(struct journal *j, uint64_t after, uint32_t max, const struct line_filter *filter,
		     const struct journal_patience *p, uint64_t *ret_next, struct err *e)
{
	struct reading r = { .list = json_array(),
			     .after = after,
			     .next = after,
			     .left = max,
			     .bytes = ANSWER_BYTES,
			     .look = LOOK_BYTES,
			     .filter = filter,
			     .patience = p,
			     .ask_at = LOOK_BYTES };
	struct segment_file *list;
	size_t n, from = 0;
	int code = segment_list(j->dirfd, &list, &n, e);

	if (code < 0 || r.list == NULL) {
		json_decref(r.list);
		return NULL;
	}
	/* Finds the last segment that begins at or before the wanted record. */
	while (from + 1 < n && list[from + 1].first - 1 <= after)
		from++;
	for (size_t i = from; i < n && code == 0 && max > 0 && !r.over; i++) {
		if (i + 1 < n && ruled_out(j, list, i, &r))
			continue;
		code = segment(j, list[i].first, list[i].first == j->first ? offset_after(j, after) : 0, &r);
	}
	free(list);
	code = r.over ? -ECANCELED : code;
	if (code < 0) {
		err_set(e, code, "read the journal");
		json_decref(r.list);
		return NULL;
	}
	*ret_next = r.next;
	return r.list;
}
