/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives out the journal's files for a copy, so that they can be checked without trusting this box.
 * The asker gets each file open for reading and uses it with his own rights. While he holds a file
 * open, its disk space stays in use.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/sentence.h"
#include "appliance/journal/access.h"
#include "appliance/journal/role_files.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_take.h"
#include "appliance/journal/role_write.h"
#include "appliance/journal/segment.h"
#include "appliance/journal/verify.h"
#include "appliance/role/roles.h"
#include "appliance/wire/msg_json.h"

static bool answer_with(uint32_t id, enum answer_status status, json_t *j)
{
	return msg_answer(ROLE_FD_CONTROL, id, status, j) == 0;
}

/* The number of records of a segment: up to the next segment, or up to now in the last one. */
static uint64_t records_of(const struct journal_role *j, const struct segment_file *list, size_t n, uint64_t first)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].first == first)
			return (i + 1 < n ? list[i + 1].first : j->chain.next_seq) - first;
	return 0;
}

static void note_reader(struct journal_role *j, const struct msg_copy *asked, uint64_t records)
{
	struct access_reader who = { 0 };
	struct event e;

	memcpy(who.by, asked->by, sizeof(who.by) - 1);
	if (access_in(&j->readings, &who, "copy", records, records, clock_mono().ns, clock_wall_ns(), &e))
		role_put(j, &e, ROLE_JOURNAL, 1);
}

static bool say_list(const struct journal_role *j, uint32_t id, const struct segment_file *list, size_t n)
{
	json_t *numbers = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(numbers, json_integer((json_int_t)list[i].first));
	return answer_with(id, ANSWER_YES,
			   json_pack("{s:o, s:I}", "segments", json_list_whole(numbers, n), "next",
				     (json_int_t)j->chain.next_seq));
}

/* Opens a segment. It may be replaced by its packed file at any moment; the reader sees from the
 * first bytes which one it is. */
static int open_segment(int dirfd, uint64_t first)
{
	char name[48];
	int fd;

	journal_segment_name(first, name);
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	segment_packed_name(first, name);
	return openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static bool say_file(uint32_t id, int fd)
{
	const struct msg_body yes = { MSG_ANSWER, .answer = { .status = ANSWER_YES } };
	int code = errno;
	bool sent;

	if (fd < 0 && code == ENOENT)
		return answer_with(id, ANSWER_NO, json_object());
	if (fd < 0)
		return answer_with(id, ANSWER_CANNOT, json_pack("{s:s}", "error", strerror(code)));
	sent = msg_send(ROLE_FD_CONTROL, id, &yes, &fd, 1) == 0;
	close(fd);
	return sent;
}

bool role_copy(struct journal_role *j, uint32_t id, const struct msg_copy *asked)
{
	static const char *const beside[COPY_WHATS] = {
		[COPY_HEAD] = "head",
		[COPY_KEY] = "checkpoint.pem",
		[COPY_HOLDS] = "holds",
	};
	struct segment_file *list = NULL;
	struct err e = { 0 };
	uint64_t records;
	size_t n = 0;
	bool sent;

	if (beside[asked->what] != NULL)
		return say_file(id, openat(j->chain.dirfd, beside[asked->what], O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
	role_write_merged(j, false);
	if (segment_list(j->chain.dirfd, &list, &n, &e) < 0)
		return answer_with(id, ANSWER_CANNOT, json_pack("{s:o}", "error", json_text(e.text)));
	records = records_of(j, list, n, asked->first);
	if (asked->what == COPY_LIST) {
		sent = say_list(j, id, list, n);
	} else {
		if (records > 0)
			note_reader(j, asked, records);
		errno = ENOENT;
		sent = say_file(id, records > 0 ? open_segment(j->chain.dirfd, asked->first) : -1);
	}
	free(list);
	return sent;
}

/* ---- whether the records are whole ----------------------------------------------------------- */

/*
 * Checks for reports over the web whether the records are whole. Each question checks some more of
 * them. The answer to the last question is the result, which is given again for FRESH_NS. People
 * who ask at the same time share one check. `sekisho journal verify` does the same without this
 * process.
 */

#define SECOND 1000000000ull
/* lines that one question checks, in some 20 ms; meanwhile nothing is read from the other roles */
#define LINES 4096u
#define FRESH_NS (10 * SECOND) /* time for which a result is given again */
#define LEFT_NS (60 * SECOND)  /* after so long without a question the check is given up */
#define KEYS_MOST 65536u

static void give_up(struct role_check *c)
{
	journal_check_free(c->check);
	c->check = NULL;
	c->done_at = 0;
}

/* Begins a check by the public key beside the records, as on any other machine. */
static void check_begin(struct journal_role *j)
{
	struct role_check *c = &j->check;
	uint8_t *text = NULL;
	struct err e;
	size_t n = 0;

	give_up(c);
	c->signs = file_read(j->chain.dirfd, "checkpoint.pem", KEYS_MOST, &text, &n, &e) == 0 &&
		   checkpoint_keys_read((const char *)text, n, &c->keys);
	free(text);
	c->trust = (struct journal_trust){ &c->keys, NULL };
	c->check = journal_check_new(j->chain.dirfd, c->signs ? &c->trust : NULL);
}

json_t *role_check_json(struct journal_role *j, uint64_t now, enum answer_status *ret_status)
{
	struct role_check *c = &j->check;
	struct err e;
	int r;

	*ret_status = ANSWER_YES;
	if (c->check == NULL || (c->done_at != 0 && now - c->done_at > FRESH_NS))
		check_begin(j);
	c->asked_at = now;
	r = c->check == NULL ? -1 : c->done_at != 0 ? 0 : journal_check_step(c->check, LINES, &e);
	if (r > 0)
		return json_pack("{s:b,s:I}", "more", 1, "records",
				 (json_int_t)journal_check_report(c->check)->records);
	if (r == 0) {
		c->done_at = c->done_at != 0 ? c->done_at : now;
		return journal_report_json(journal_check_report(c->check), c->signs);
	}
	give_up(c);
	*ret_status = ANSWER_CANNOT;
	return json_pack("{s:o}", "error", json_sentence(M_REPORT_NO_RECORDS, "journal"));
}

uint64_t role_check_due(const struct journal_role *j)
{
	return j->check.check != NULL ? j->check.asked_at + LEFT_NS : UINT64_MAX;
}

void role_check_left(struct journal_role *j, uint64_t now)
{
	if (now >= role_check_due(j))
		give_up(&j->check);
}
