/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/journal/chain.h"

static const char *const words[] = {
	[FAULT_NONE] = "none",	    [FAULT_FORM] = "malformed", [FAULT_HASH] = "edited",
	[FAULT_PREV] = "unlinked",  [FAULT_NUMBER] = "missing", [FAULT_SEGMENT] = "segment",
	[FAULT_HEAD] = "truncated", [FAULT_TORN] = "torn",	[FAULT_ANOTHER] = "another_head",
};

const char *journal_fault_word(enum journal_fault f)
{
	return (unsigned)f < sizeof(words) / sizeof(words[0]) ? words[f] : "unknown";
}

const char *journal_open_word(unsigned open, unsigned n)
{
	static const char *const open_words[] = { "end", "begin" };

	for (unsigned i = 0; i < sizeof(open_words) / sizeof(open_words[0]); i++)
		if ((open >> i & 1u) != 0 && n-- == 0)
			return open_words[i];
	return NULL;
}

struct walk {
	struct journal_report *r;
	char segment[48];
	uint64_t line;
	uint64_t first;	   /* what the segment's name says */
	uint64_t want;	   /* number of the next line, 0 = any: the first of all */
	uint64_t head_seq; /* 0 = no head */
	uint8_t head_hash[32];
	bool head_met;
};

static void fault(struct walk *w, enum journal_fault what, uint64_t seq)
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

static void one(struct walk *w, const char *text, size_t n)
{
	struct journal_report *r = w->r;
	uint8_t hash[32];
	uint64_t seq = 0;
	enum journal_line what = journal_line_check(text, n, r->head, hash, &seq);

	w->line++;
	if (what == JOURNAL_LINE_FORM || what == JOURNAL_LINE_HASH) {
		fault(w, what == JOURNAL_LINE_FORM ? FAULT_FORM : FAULT_HASH, seq);
		return;
	}
	if (w->line == 1 && seq != w->first)
		fault(w, FAULT_SEGMENT, seq);
	else if (w->want != 0 && seq != w->want)
		fault(w, FAULT_NUMBER, seq);
	/* The oldest line may be the first that was kept: its link has nothing to hang on, unless it is number 1. */
	if (what == JOURNAL_LINE_PREV && (w->want != 0 || seq == 1))
		fault(w, FAULT_PREV, seq);
	if (seq == w->head_seq)
		w->head_met = memcmp(hash, w->head_hash, sizeof(hash)) == 0;
	memcpy(r->head, hash, sizeof(hash));
	w->want = seq + 1;
	if (r->records++ == 0)
		r->first = seq;
	r->last = seq;
}

static int segment(struct walk *w, int dirfd, uint64_t first, bool last, struct err *e)
{
	FILE *f;
	char *text = NULL;
	size_t room = 0;
	ssize_t n;
	int fd;

	journal_segment_name(first, w->segment);
	w->line = 0;
	w->first = first;
	if (w->want != 0 && first != w->want) {
		fault(w, FAULT_SEGMENT, first);
		w->want = first; /* said once */
	}
	fd = openat(dirfd, w->segment, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (f == NULL) {
		int code = -errno;

		if (fd >= 0)
			close(fd);
		return err_set(e, code, "open %s", w->segment);
	}
	while ((n = getline(&text, &room, f)) > 0) {
		if (text[n - 1] == '\n') {
			one(w, text, (size_t)n - 1);
		} else {
			w->line++;
			fault(w, last ? FAULT_TORN : FAULT_FORM, 0);
		}
	}
	free(text);
	fclose(f);
	return 0;
}

static void read_head(struct walk *w, int dirfd)
{
	int fd = openat(dirfd, "head", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[96];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : 0;

	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		w->r->open |= JOURNAL_END_OPEN;
	} else if (!journal_head_parse(text, (size_t)n, &w->head_seq, w->head_hash)) {
		snprintf(w->segment, sizeof(w->segment), "head");
		fault(w, FAULT_ANOTHER, 0);
	}
}

static void compare_head(struct walk *w)
{
	if (w->head_seq == 0 || w->head_met)
		return;
	snprintf(w->segment, sizeof(w->segment), "head");
	w->line = 0;
	/* Numbers that the log has are known to it by another hash. */
	fault(w, w->head_seq > w->r->last ? FAULT_HEAD : FAULT_ANOTHER, w->head_seq);
}

int journal_verify(const char *folder, struct journal_report *ret, struct err *e)
{
	struct walk w = { .r = ret };
	uint64_t *list = NULL;
	size_t n = 0;
	int dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	memset(ret, 0, sizeof(*ret));
	if (dirfd < 0)
		return err_set(e, -errno, "open %s", folder);
	r = journal_segments(dirfd, &list, &n, e);
	if (r == 0)
		read_head(&w, dirfd);
	for (size_t i = 0; i < n && r == 0; i++)
		r = segment(&w, dirfd, list[i], i + 1 == n, e);
	if (r == 0)
		compare_head(&w);
	if (ret->first > 1)
		ret->open |= JOURNAL_BEGIN_OPEN;
	free(list);
	close(dirfd);
	return r;
}
