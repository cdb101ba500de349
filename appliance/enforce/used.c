/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the record of uses (matched.h) beyond the process: it is sent to the supervisor after each
 * look, and the next process receives it from there before the first apply. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/enforce/enforce.h"
#include "appliance/kernel/dump.h"

int enforce_used_heard(struct enforce *f, int fd, struct err *e)
{
	uint8_t *p = NULL;
	size_t n = 0;
	int r = f->matched.looked_ns != 0 ? 0 : memfd_read(fd, USED_BYTES, &p, &n, e);

	if (p != NULL)
		r = matched_take(p, n, &f->matched, e);
	free(p);
	return r;
}

void enforce_used_tell(struct enforce *f)
{
	struct msg_body m = { MSG_USED, .used = { .at_once = f->matched.at_once } };
	uint8_t *p;
	size_t n;
	int fd;

	if (!f->matched.untold || f->now == NULL)
		return;
	f->matched.untold = f->matched.at_once = false;
	p = matched_put(&f->matched, &n);
	fd = p != NULL ? memfd_sealed("sekisho-used", p, n) : -1;
	free(p);
	if (fd < 0)
		return; /* the next look tries again */
	(void)msg_send(f->control, 0, &m, &fd, 1);
	close(fd);
}

void enforce_used_look(struct enforce *f)
{
	struct arena *a = f->now != NULL ? arena_new(DUMP_BUDGET) : NULL;
	struct image have;
	struct err e;

	if (a != NULL && netlink_dump(&f->net, a, &have, &e) == 0) {
		matched_note(&f->matched, &have, f->now, clock_wall_ns());
		begun_looked(f, &have, true);
	}
	arena_free(a);
}
