/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/sha256.h"
#include "appliance/journal/chain.h"
#include "appliance/journal/segment.h"

#define LIST_AGAIN 16u /* how often the list is read again because files disappeared */
#define LOOK_AGAIN 16u /* how often the head is read again because it was rewritten */

static const char *const words[] = {
	[FAULT_NONE] = "none",
#define FAULT(id, word, text) [id] = (word),
#include "appliance/journal/fault.def"
};

const char *journal_fault_word(enum journal_fault f)
{
	return (unsigned)f < sizeof(words) / sizeof(words[0]) ? words[f] : "unknown";
}

/* "end", "begin": the word for the n-th open point, NULL = there are no more. */
static const char *journal_open_word(unsigned open, unsigned n)
{
	static const char *const open_words[] = { "end", "begin", "signed" };

	for (unsigned i = 0; i < sizeof(open_words) / sizeof(open_words[0]); i++)
		if ((open >> i & 1u) != 0 && n-- == 0)
			return open_words[i];
	return NULL;
}

struct walk {
	struct journal_report *r;
	char segment[48];
	uint64_t line;
	uint64_t first;	   /* number in the segment's name */
	uint64_t want;	   /* expected number of the next line, 0 = any, for the very first line */
	uint64_t head_seq; /* 0 = no head */
	uint8_t head_hash[32];
	bool head_met;
	const struct journal_trust *trust; /* NULL = none */
	bool sent_met;
	uint8_t before[32]; /* the "prev" of the first record: the hash of the record before it */
};

static void note_fault(struct walk *w, enum journal_fault what, uint64_t seq)
{
	struct journal_report *r = w->r;

	if (what != FAULT_TORN)
		r->faults++;
	if (r->n == JOURNAL_FAULTS)
		return;
	r->list[r->n].what = what;
	r->list[r->n].line = w->line;
	r->list[r->n].seq = seq;
	snprintf(r->list[r->n].segment, sizeof(r->list[r->n].segment), "%s", w->segment);
	r->n++;
}

static bool member_is(const json_t *o, const char *key, const char *value)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text != NULL && strcmp(text, value) == 0;
}

/* Looks whether the line is the record of a deletion of exactly what is missing before the first
 * record: number and hash must agree. */
static void says_deleted(struct walk *w, const char *text, size_t n, uint64_t seq)
{
	static const char mark[] = ",\"deleted\":{";
	json_t *o, *d;
	uint64_t last;

	/* The first such record is taken: it was certainly signed before the file was deleted. */
	if (w->r->first <= 1 || w->r->deleted_by != 0 || memmem(text, n, mark, sizeof(mark) - 1) == NULL)
		return;
	o = json_loadb(text, n, 0, NULL);
	d = json_object_get(o, "deleted");
	last = (uint64_t)json_integer_value(json_object_get(d, "last"));
	if (member_is(o, "kind", "lost") &&
	    (member_is(o, "code", "deleted") || member_is(o, "code", "deleted_for_room")) &&
	    member_is(o, "role", "journal") && last + 1 == w->r->first) {
		char hex[65];

		hex_text(w->before, sizeof(w->before), hex);
		if (member_is(d, "hash", hex)) {
			w->r->deleted = last;
			w->r->deleted_by = seq;
		}
	}
	json_decref(o);
}

/* If this valid line is a checkpoint, checks whether it signs what is before it. */
static void checkpoint(struct walk *w, const char *text, size_t n, uint64_t seq)
{
	struct checkpoint c;

	switch (checkpoint_of_line(text, n, seq, w->trust->keys, &c)) {
	case CHECKPOINT_GOOD:
		w->r->checkpoints++;
		if (c.record > w->r->signed_to)
			w->r->signed_to = c.record;
		break;
	case CHECKPOINT_ANOTHER:
		note_fault(w, FAULT_KEY, seq);
		break;
	case CHECKPOINT_FALSE:
		note_fault(w, FAULT_SIGNATURE, seq);
		break;
	case CHECKPOINT_NONE:
		break;
	}
}

static void compare_sent(struct walk *w)
{
	const struct checkpoint *sent = w->trust->sent;
	struct journal_report *r = w->r;

	if (sent == NULL)
		return;
	r->sent = sent->record;
	/* The record to which the checkpoint belongs was deleted by the site's rule, so there is
	 * nothing to compare. */
	if (w->sent_met || (sent->record < r->first && r->deleted >= sent->record))
		return;
	w->segment[0] = '\0';
	w->line = 0;
	note_fault(w, FAULT_SENT, sent->record);
}

static void judge_signed(struct walk *w)
{
	struct journal_report *r = w->r;

	/* Only a signed record of a deletion counts, because anybody could have written one that is
	 * not signed. */
	if (r->deleted_by > r->signed_to)
		r->deleted = r->deleted_by = 0;
	if (r->first > 1 && r->deleted == 0) {
		w->segment[0] = '\0';
		w->line = 0;
		note_fault(w, FAULT_BEGIN, r->first);
	}
	compare_sent(w);
	if (r->checkpoints == 0 || (r->last > r->signed_to && r->last - r->signed_to > JOURNAL_UNSIGNED_MOST))
		r->open |= JOURNAL_SIGNED_OPEN;
}

static void check_line(struct walk *w, const char *text, size_t n)
{
	struct journal_report *r = w->r;
	uint8_t hash[32];
	uint64_t seq = 0;
	enum journal_line what = journal_line_check(text, n, r->head, hash, &seq);

	w->line++;
	if (what == JOURNAL_LINE_FORM || what == JOURNAL_LINE_HASH) {
		note_fault(w, what == JOURNAL_LINE_FORM ? FAULT_FORM : FAULT_HASH, seq);
		return;
	}
	if (w->line == 1 && seq != w->first)
		note_fault(w, FAULT_SEGMENT, seq);
	else if (w->want != 0 && seq != w->want)
		note_fault(w, FAULT_NUMBER, seq);
	/* The link of the first line cannot be checked, unless it is record 1: the line before it
	 * may have been deleted by rule. */
	if (what == JOURNAL_LINE_PREV && (w->want != 0 || seq == 1))
		note_fault(w, FAULT_PREV, seq);
	if (seq == w->head_seq)
		w->head_met = memcmp(hash, w->head_hash, sizeof(hash)) == 0;
	if (w->trust != NULL) {
		checkpoint(w, text, n, seq);
		if (w->trust->sent != NULL && seq == w->trust->sent->record)
			w->sent_met = memcmp(hash, w->trust->sent->hash, sizeof(hash)) == 0;
	}
	memcpy(r->head, hash, sizeof(hash));
	w->want = seq + 1;
	/* Segments may have been swapped, so the first record is the one with the lowest number,
	 * wherever it stands. */
	if (r->records++ == 0 || seq < r->first) {
		r->first = seq;
		journal_line_prev(text, n, w->before);
	}
	if (seq > r->last)
		r->last = seq;
	says_deleted(w, text, n, seq);
}

/* The two files of a segment, opened together, so that they can be compared even if the journal
 * deletes one meanwhile. */
struct twins {
	/* both are set, or both are NULL, because there is only one file or a file cannot be
	 * opened */
	struct segment *plain, *packed;
	bool unread; /* there is a file that cannot be opened */
};

static struct twins open_twins(int dirfd, uint64_t first)
{
	struct twins t = { 0 };
	int plain = segment_open(dirfd, first, SEGMENT_PLAIN, 0, &t.plain, NULL);
	int packed = segment_open(dirfd, first, SEGMENT_PACKED, 0, &t.packed, NULL);

	if (plain == 0 && packed == 0)
		return t;
	/* If one of the two does not exist, a running journal may just have deleted it: that is no
	 * fault of the other. */
	t.unread = plain != -ENOENT && packed != -ENOENT;
	segment_close(t.plain);
	segment_close(t.packed);
	t.plain = t.packed = NULL;
	return t;
}

/* Whether both files have the same contents; one of them was about to replace the other. True also
 * if there is only one file. */
static bool same_bytes(const struct twins *t)
{
	return !t->unread && (t->plain == NULL || segment_same(t->plain, t->packed, UINT64_MAX) == 0);
}

#define HEAD_TEXT 96u

/* Reads the head until two reads in a row are equal, because a running journal may overwrite it
 * meanwhile. Its bytes, 0 = none, or negative errno. */
static ssize_t head_text(int fd, char out[HEAD_TEXT])
{
	char before[HEAD_TEXT];
	ssize_t was = -1, n = 0;

	for (unsigned i = 0; i < LOOK_AGAIN; i++) {
		n = pread(fd, out, HEAD_TEXT, 0);
		if (n < 0)
			return -errno;
		if (n == was && memcmp(before, out, (size_t)n) == 0)
			break;
		memcpy(before, out, (size_t)n);
		was = n;
	}
	return n;
}

/* A missing head is an open point; one that cannot be parsed is a fault. */
static int read_head(struct walk *w, int dirfd, struct err *e)
{
	int fd = openat(dirfd, "head", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char text[HEAD_TEXT] = "";
	ssize_t n = 0;

	if (fd < 0 && errno != ENOENT)
		return err_set(e, -errno, "open head");
	if (fd >= 0) {
		n = head_text(fd, text);
		close(fd);
	}
	if (n < 0)
		return err_set(e, (int)n, "read head");
	if (n == 0) {
		w->r->open |= JOURNAL_END_OPEN;
	} else if (!journal_head_parse(text, (size_t)n, &w->head_seq, w->head_hash)) {
		w->head_seq = 0; /* reported once */
		snprintf(w->segment, sizeof(w->segment), "head");
		note_fault(w, FAULT_ANOTHER, 0);
	}
	return 0;
}

static void compare_head(struct walk *w)
{
	if (w->head_seq == 0 || w->head_met)
		return;
	snprintf(w->segment, sizeof(w->segment), "head");
	w->line = 0;
	/* If the log is long enough, it has a record of that number with another hash. */
	note_fault(w, w->head_seq > w->r->last ? FAULT_HEAD : FAULT_ANOTHER, w->head_seq);
}

static bool same_numbers(const struct segment_file *a, size_t n, const struct segment_file *b, size_t m)
{
	for (size_t i = 0; i < n && i < m; i++)
		if (a[i].first != b[i].first)
			return false;
	return n == m;
}

/*
 * Lists the segments until two lists in a row are equal: while a packed file replaces the plain
 * one, a list may show neither.
 */
static int list_all(int dirfd, struct segment_file **ret, size_t *ret_n, struct err *e)
{
	int r = segment_list(dirfd, ret, ret_n, e);

	for (unsigned i = 0; r == 0 && i < LIST_AGAIN; i++) {
		struct segment_file *before = *ret;
		size_t n = *ret_n;
		bool same;

		r = segment_list(dirfd, ret, ret_n, e);
		same = r == 0 && same_numbers(before, n, *ret, *ret_n);
		free(before);
		if (same)
			break;
	}
	return r;
}

/* A look at a folder, line by line. */
struct journal_check {
	int dirfd;
	struct walk w;
	struct journal_report r;
	bool begun;
	unsigned again; /* how often it was begun anew */
	struct segment_file *list;
	size_t n, at;
	struct segment *s; /* of list[at]; NULL = not open yet */
	struct twins twins;
};

static int open_segment(struct journal_check *c, struct err *e)
{
	const struct segment_file *file = &c->list[c->at];
	struct walk *w = &c->w;
	int r;

	c->twins = open_twins(c->dirfd, file->first);
	journal_segment_name(file->first, w->segment);
	if (!file->plain)
		segment_packed_name(file->first, w->segment);
	w->line = 0;
	w->first = file->first;
	if (w->want != 0 && file->first != w->want) {
		note_fault(w, FAULT_SEGMENT, file->first);
		w->want = file->first; /* reported once */
	}
	r = segment_open(c->dirfd, file->first, SEGMENT_EITHER, 0, &c->s, e);
	return c->s != NULL ? 0 : r;
}

static void close_segment(struct journal_check *c)
{
	segment_close(c->s);
	segment_close(c->twins.plain);
	segment_close(c->twins.packed);
	c->s = NULL;
	c->twins = (struct twins){ 0 };
}

/* Checks up to *lines lines of the open segment, and subtracts their number. The newest segment may
 * end in the middle of a line. 1 = there are more, 0 = it is at its end, or negative errno. */
static int read_lines(struct journal_check *c, size_t *lines, struct err *e)
{
	bool newest = c->at + 1 == c->n && c->list[c->at].plain, whole;
	struct walk *w = &c->w;
	const char *text;
	size_t n;
	int r = 1;

	for (; *lines > 0 && (r = segment_line(c->s, &text, &n, &whole)) > 0; --*lines) {
		if (whole) {
			check_line(w, text, n);
			continue;
		}
		w->line++;
		note_fault(w, newest ? FAULT_TORN : FAULT_FORM, 0);
	}
	if (r == -EBADMSG) {
		w->line++;
		note_fault(w, FAULT_FORM, 0);
		r = 0;
	}
	return r < 0 ? err_set(e, r, "read %s", w->segment) : r;
}

static void end_segment(struct journal_check *c)
{
	uint64_t first = c->list[c->at].first;

	if (!same_bytes(&c->twins)) {
		segment_packed_name(first, c->w.segment);
		c->w.line = 0;
		note_fault(&c->w, FAULT_TWICE, first);
	}
	close_segment(c);
	c->at++;
}

static void check_forget(struct journal_check *c)
{
	close_segment(c);
	free(c->list);
	c->list = NULL;
	c->n = c->at = 0;
	c->begun = false;
}

static int check_begin(struct journal_check *c, struct err *e)
{
	int r;

	c->r = (struct journal_report){ 0 };
	c->w = (struct walk){ .r = &c->r, .trust = c->w.trust };
	/* The head is read first: its record is then in some file, even if the newest file begins
	 * after the list. */
	r = read_head(&c->w, c->dirfd, e);
	if (r == 0)
		r = list_all(c->dirfd, &c->list, &c->n, e);
	c->begun = r == 0;
	return r;
}

static void check_judge(struct journal_check *c)
{
	compare_head(&c->w);
	if (c->w.trust != NULL)
		judge_signed(&c->w);
	else if (c->r.first > 1 && c->r.deleted == 0)
		c->r.open |= JOURNAL_BEGIN_OPEN;
}

static int check_step(struct journal_check *c, size_t lines, struct err *e)
{
	int r = c->begun ? 0 : check_begin(c, e);

	while (r >= 0 && c->at < c->n && lines > 0) {
		r = c->s == NULL ? open_segment(c, e) : 0;
		if (r == 0)
			r = read_lines(c, &lines, e);
		if (r == 0)
			end_segment(c);
	}
	if (r < 0)
		return r;
	if (c->at < c->n)
		return 1;
	check_judge(c);
	return 0;
}

int journal_check_step(struct journal_check *c, size_t lines, struct err *e)
{
	int r = check_step(c, lines, e);

	if (r > 0)
		return r;
	check_forget(c);
	/* The site's rule deleted a file meanwhile (at most one an hour): everything is read again,
	 * with the record of it. */
	return r == -ENOENT && ++c->again < LIST_AGAIN ? 1 : r;
}

struct journal_check *journal_check_new(int dirfd, const struct journal_trust *trust)
{
	struct journal_check *c = calloc(1, sizeof(*c));

	if (c != NULL) {
		c->dirfd = dirfd;
		c->w.trust = trust;
	}
	return c;
}

const struct journal_report *journal_check_report(const struct journal_check *c)
{
	return &c->r;
}

void journal_check_free(struct journal_check *c)
{
	if (c != NULL)
		check_forget(c);
	free(c);
}

int journal_verify(const char *folder, const struct journal_trust *trust, struct journal_report *ret, struct err *e)
{
	int dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 1;
	struct journal_check *c;

	memset(ret, 0, sizeof(*ret));
	if (dirfd < 0)
		return err_set(e, -errno, "open %s", folder);
	c = journal_check_new(dirfd, trust);
	if (c == NULL)
		r = err_set(e, -ENOMEM, "open %s", folder);
	while (r > 0)
		r = journal_check_step(c, SIZE_MAX, e);
	if (c != NULL)
		*ret = *journal_check_report(c);
	journal_check_free(c);
	close(dirfd);
	return r;
}

/* ---- checkpoints that were sent to a server -------------------------------------------------- */

#define SENT_LINE 65536u
/* Text and signature of a checkpoint are shorter. The limit bounds the work for a hostile line with
 * thousands of beginnings. */
#define SENT_MEMBER 1024u

/* Takes the newest valid checkpoint in a line, whatever surrounds it, if it is newer than *c. */
static bool newest_of(const char *line, size_t n, const struct checkpoint_keys *keys, struct checkpoint *c)
{
	static const char mark[] = "\"checkpoint\":";
	const char *end = line + n, *at = line;
	bool found = false;

	while ((at = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1)) != NULL) {
		struct checkpoint one;
		json_t *member;

		at += sizeof(mark) - 1;
		member = json_loadb(at, (size_t)(end - at) < SENT_MEMBER ? (size_t)(end - at) : SENT_MEMBER,
				    JSON_DISABLE_EOF_CHECK, NULL);
		if (checkpoint_of_member(member, keys, &one) == CHECKPOINT_GOOD && one.record > c->record) {
			*c = one;
			found = true;
		}
		json_decref(member);
	}
	return found;
}

int journal_newest_checkpoint(const char *path, const struct checkpoint_keys *keys, struct checkpoint *ret,
			      struct err *e)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int r = 0;

	*ret = (struct checkpoint){ 0 };
	if (f == NULL)
		return err_set(e, -errno, "open %s", path);
	while ((n = getline(&line, &room, f)) > 0)
		if (n <= (ssize_t)SENT_LINE && newest_of(line, (size_t)n, keys, ret))
			r = 1;
	if (ferror(f))
		r = err_set(e, errno != 0 ? -errno : -EIO, "read %s", path);
	free(line);
	fclose(f);
	return r;
}

/* ---- the report as JSON ---------------------------------------------------------------------- */

static json_t *deleted_json(const struct journal_report *r)
{
	if (r->deleted == 0)
		return json_null();
	return json_pack("{s:I,s:I}", "last", (json_int_t)r->deleted, "said_by", (json_int_t)r->deleted_by);
}

static json_t *signed_json(const struct journal_report *r, bool keys)
{
	if (!keys)
		return json_null();
	return json_pack("{s:I,s:I,s:I}", "checkpoints", (json_int_t)r->checkpoints, "to", (json_int_t)r->signed_to,
			 "sent", (json_int_t)r->sent);
}

json_t *journal_report_json(const struct journal_report *r, bool keys)
{
	json_t *list = json_array(), *open = json_array();
	const char *word;

	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(list, json_pack("{s:s,s:o,s:I,s:I}", "what", journal_fault_word(r->list[i].what),
						      "segment", json_text(r->list[i].segment), "line",
						      (json_int_t)r->list[i].line, "seq", (json_int_t)r->list[i].seq));
	for (unsigned n = 0; (word = journal_open_word(r->open, n)) != NULL; n++)
		json_array_append_new(open, json_string(word));
	return json_pack("{s:o,s:I,s:I,s:I,s:o,s:I,s:o,s:o,s:o,s:o}", "whole",
			 r->faults > 0	? json_false()
			 : r->open != 0 ? json_null()
					: json_true(),
			 "records", (json_int_t)r->records, "first", (json_int_t)r->first, "last", (json_int_t)r->last,
			 "head", json_hex(r->head, sizeof(r->head)), "faults", (json_int_t)r->faults, "unjudged", open,
			 "deleted", deleted_json(r), "signed", signed_json(r, keys), "list", list);
}
