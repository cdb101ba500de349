/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which doors are open, and until when. The supervisor says so before each generation and at each
 * change. Their effect depends on the time (policy/ir/moment.h) and reaches the kernel as scheduled
 * hours do: each element has its own end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/memfd.h"
#include "appliance/enforce/enforce.h"

#define MOST_BYTES (DOORS_OPEN * OPEN_DOOR_BYTES)

static int read_doors(int fd, struct msg_open_door *list, size_t *ret_n, struct err *e)
{
	uint8_t *bytes = NULL;
	size_t n = 0;
	int r = memfd_read(fd, MOST_BYTES, &bytes, &n, e);
	struct bytes b = bytes_of(bytes, r == 0 ? n : 0);

	*ret_n = 0;
	while (r == 0 && b.left > 0)
		if (*ret_n == DOORS_OPEN || !msg_take_open_door(&b, &list[*ret_n]) ||
		    list[*ret_n].name[DOOR_NAMED - 1] != 0)
			r = err_set(e, -EBADMSG, "doors");
		else
			(*ret_n)++;
	free(bytes);
	return r;
}

int enforce_doors(struct enforce *f, int fd, struct err *e)
{
	struct msg_open_door list[DOORS_OPEN] = { 0 };
	size_t n;
	int r = read_doors(fd, list, &n, e);

	if (r < 0)
		return r;
	/* Each apply repeats the list; mostly nothing has changed. */
	if (n == f->n_doors && memcmp(list, f->doors, sizeof(list)) == 0)
		return 0;
	memcpy(f->doors, list, sizeof(list));
	f->n_doors = n;
	f->waits_due = f->waits_due || (!f->waits && f->now != NULL);
	enforce_waits_due(f);
	return f->waits_due ? err_set(e, -EAGAIN, "the kernel was busy with another's change") : 0;
}
