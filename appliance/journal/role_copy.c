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

#include "appliance/base/clock.h"
#include "appliance/base/sentence.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/segment.h"
#include "appliance/role/roles.h"

static bool answer(uint32_t id, enum answer_status status, json_t *j)
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

static void note(struct journal_role *j, const struct msg_copy *asked, uint64_t records)
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
	return answer(id, ANSWER_YES,
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
		return answer(id, ANSWER_NO, json_object());
	if (fd < 0)
		return answer(id, ANSWER_CANNOT, json_pack("{s:s}", "error", strerror(code)));
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
		return answer(id, ANSWER_CANNOT, json_pack("{s:o}", "error", json_text(e.text)));
	records = records_of(j, list, n, asked->first);
	if (asked->what == COPY_LIST) {
		sent = say_list(j, id, list, n);
	} else {
		if (records > 0)
			note(j, asked, records);
		errno = ENOENT;
		sent = say_file(id, records > 0 ? open_segment(j->chain.dirfd, asked->first) : -1);
	}
	free(list);
	return sent;
}
