/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/box/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "mgmt/cli/screen/width.h"

#define COLUMNS_USUAL 80u /* where it does not say */
#define KEY_CELLS 2u	  /* "^C", which the terminal writes behind it */

static void stage_text(const struct cli *c, const struct msg_progress *p, char *out, size_t size)
{
	static const enum message plain[PROGRESS_STAGES] = {
		[PROGRESS_WAITS_CHANGE] = M_PROGRESS_WAITS_CHANGE,
		[PROGRESS_WAITS_TURN] = M_PROGRESS_WAITS_TURN,
		[PROGRESS_COMPILES] = M_PROGRESS_COMPILES,
		[PROGRESS_WORKERS] = M_PROGRESS_WORKERS,
		[PROGRESS_READS] = M_PROGRESS_READS,
		[PROGRESS_SESSIONS] = M_PROGRESS_SESSIONS,
		[PROGRESS_IMPACT] = M_PROGRESS_IMPACT,
		[PROGRESS_KERNEL] = M_PROGRESS_KERNEL,
		[PROGRESS_COMPARES] = M_PROGRESS_COMPARES,
		[PROGRESS_EXECUTES] = M_PROGRESS_EXECUTES,
		[PROGRESS_PACKETS] = M_PROGRESS_PACKETS,
		[PROGRESS_LISTS] = M_PROGRESS_LISTS,
	};
	const char *what = message_format(plain[p->stage], c->lang);
	unsigned long long done = p->done, of = p->of, entries = p->entries;

	if (entries > 0 && of > 0)
		message_text(out, size, c->lang, M_PROGRESS_PARTS, what, done, of, entries);
	else if (of > 0)
		message_text(out, size, c->lang, M_PROGRESS_OF, what, done, of);
	else if (done > 0)
		message_text(out, size, c->lang, M_PROGRESS_DONE, what, done);
	else
		snprintf(out, size, "%s", what);
}

static void put(struct progress_line *l, struct cli *c, const char *text)
{
	size_t cells = text_cells(text);

	fprintf(c->err, "\r%s", text);
	for (size_t i = cells; i < l->cells; i++)
		fputc(' ', c->err);
	l->cells = cells > 0 ? cells + KEY_CELLS : 0;
}

static size_t columns(const struct cli *c)
{
	struct winsize w;

	return ioctl(fileno(c->err), TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : COLUMNS_USUAL;
}

void progress_show(struct progress_line *l, struct cli *c, const struct msg_progress *p, uint64_t waited_ns)
{
	char said[300], text[400];

	stage_text(c, p, said, sizeof(said));
	message_text(text, sizeof(text), c->lang, M_PROGRESS_LINE, said, (unsigned)(waited_ns / 1000000000u));
	/* A line that is broken at the edge cannot be written over. */
	if (text_cells(text) + KEY_CELLS < columns(c))
		put(l, c, text);
	fflush(c->err);
}

bool progress_clear(struct progress_line *l, struct cli *c)
{
	if (l->cells == 0)
		return false;
	put(l, c, "");
	fputc('\r', c->err);
	fflush(c->err);
	return true;
}
