/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho journal copy FOLDER`: the box's records as files, for somebody who may read them but is
 * not root, to check them elsewhere. The number of the last record and the key are copied first,
 * then the records: so a copy that is taken while the journal writes is complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/preserve/take.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

struct copying {
	struct cli *c;
	const char *folder;
	int dirfd, status; /* the folder; the verb's status */
	unsigned long long files, bytes;
};

static bool failed(struct copying *k, const char *name, int code)
{
	k->status = cli_fail(k->c, CLI_CANNOT, M_JOURNAL_COPY_FAILED, k->folder, name, strerror(code));
	return false;
}

static bool keep_copy(struct copying *k, int fd, const char *name, uint64_t first)
{
	char own[48];
	uint8_t *p;
	size_t n;
	int code = take_read(fd, &p, &n);

	if (name == NULL) {
		if (!take_segment_name(first, p, n, own))
			n = take_whole_lines(p, n);
		name = own;
	}
	if (code == 0)
		code = take_write(k->dirfd, name, p, n);
	free(p);
	if (code != 0)
		return failed(k, name, code);
	k->files++;
	k->bytes += n;
	return true;
}

/* Copies one file. Also true when it is missing: a segment may be deleted at any time by the site's
 * rule, and not every journal has holds. */
static bool copy_file(struct copying *k, enum copy_what what, uint64_t first, const char *name)
{
	const struct msg_body question = { MSG_COPY, .copy = { .what = (uint8_t)what, .first = first } };
	struct box_answer answer;
	bool ok;
	int fd;

	if (!box_request_file(k->c, &question, NULL, 0, BOX_WAIT_S, &answer, &fd, &k->status))
		return false;
	if (fd < 0) {
		ok = answer.status == ANSWER_NO;
		if (!ok)
			(void)box_answer_done(k->c, &answer, &k->status);
		box_answer_free(&answer);
		return ok;
	}
	return keep_copy(k, fd, name, first);
}

static bool segments(struct copying *k, unsigned long long *ret_next)
{
	struct box_answer answer;
	bool ok = true;

	if (!box_ask(k->c, &(struct msg_body){ MSG_COPY, .copy = { .what = COPY_LIST } }, &answer, &k->status))
		return false;
	if (answer.status != ANSWER_YES) {
		(void)box_answer_done(k->c, &answer, &k->status);
		ok = false;
	}
	*ret_next = ju(answer.json, "next");
	json_each(number, ja(answer.json, "segments"))
		ok = ok && copy_file(k, COPY_SEGMENT, (uint64_t)json_integer_value(number), NULL);
	box_answer_free(&answer);
	return ok;
}

int verb_journal_copy(struct cli *c, const struct cli_args *a)
{
	struct copying k = { .c = c, .folder = a->operands[0], .dirfd = -1, .status = CLI_CANNOT };
	unsigned long long next = 0;

	if (mkdir(k.folder, 0700) < 0 ||
	    (k.dirfd = open(k.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return cli_fail(c, CLI_CANNOT, M_JOURNAL_COPY_FOLDER, k.folder, strerror(errno));
	if (copy_file(&k, COPY_KEY, 0, "checkpoint.pem") && copy_file(&k, COPY_HEAD, 0, "head") &&
	    copy_file(&k, COPY_HOLDS, 0, "holds") && segments(&k, &next)) {
		k.status = CLI_YES;
		if (c->json)
			json_line(c->out, json_pack("{s:o, s:I, s:I, s:I}", "folder", json_text(k.folder), "files",
						    (json_int_t)k.files, "bytes", (json_int_t)k.bytes, "last",
						    (json_int_t)(next > 0 ? next - 1 : 0)));
		else
			render_line(c, M_JOURNAL_COPIED, k.files, k.bytes, next > 0 ? next - 1 : 0, k.folder, k.folder);
	} else if (k.files == 0) {
		rmdir(k.folder);
	}
	close(k.dirfd);
	return k.status;
}
