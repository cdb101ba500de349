/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/enforce/apply.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/pairs.h"
#include "policy/ir/elements.h"

#define ELEMENTS_BUDGET (256u << 20)
#define TCP 6u

static int pairs_memfd(const struct generation_held *g)
{
	struct arena *a = arena_new(ELEMENTS_BUDGET);
	struct ir_element *x = NULL;
	size_t n = a != NULL ? ir_elements(&g->ir, g->ids, a, &x) : 0, kept = 0;
	struct known_pair *list = calloc(n + 1, sizeof(*list));
	int fd;

	for (size_t i = 0; list != NULL && i < n; i++)
		if (ir_set_cells(x[i].set) && x[i].l4proto == TCP)
			list[kept++] = (struct known_pair){
				.client = x[i].src, .server = x[i].dst, .lo = x[i].lo, .hi = x[i].hi
			};
	fd = list != NULL ? memfd_sealed("sekisho-pairs", list, kept * sizeof(*list)) : -1;
	free(list);
	arena_free(a);
	return fd;
}

/* If the list cannot be made or sent, the gates keep the former one. */
void enforce_pairs_tell(const struct enforce *f)
{
	int fd = f->now != NULL ? pairs_memfd(f->now) : -1;

	if (fd < 0)
		return;
	(void)msg_send(f->roles.control, 0, &(struct msg_body){ .type = MSG_PAIRS }, &fd, 1);
	close(fd);
}
