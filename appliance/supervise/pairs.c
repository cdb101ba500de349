/* SPDX-License-Identifier: Apache-2.0 */
/* What gates must know of the policy in force: between whom they may answer segments of no session. */
#include <stdlib.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/pairs.h"

#define IPPROTO_TCP_NUMBER 6u
#define ELEMENTS_BUDGET (256u << 20)

static bool is_tcp_pair(const struct ir_element *x)
{
	return ir_set_cells(x->set) && x->l4proto == IPPROTO_TCP_NUMBER;
}

static int pairs_memfd(const struct policy *p)
{
	struct arena *a = arena_new(ELEMENTS_BUDGET);
	struct ir_element *x = NULL;
	size_t n = a != NULL ? ir_elements(p->ir, p->ids, a, &x) : 0, kept = 0;
	struct known_pair *list = calloc(n + 1, sizeof(*list));
	int fd;

	for (size_t i = 0; list != NULL && i < n; i++)
		if (is_tcp_pair(&x[i]))
			list[kept++] = (struct known_pair){
				.client = x[i].src, .server = x[i].dst, .lo = x[i].lo, .hi = x[i].hi
			};
	fd = list != NULL ? memfd_sealed("sekisho-pairs", list, kept * sizeof(*list)) : -1;
	free(list);
	arena_free(a);
	return fd;
}

void pairs_tell(struct supervisor *s, struct slot *gate)
{
	if (s->pairs_of != s->now) {
		if (s->pairs_fd >= 0)
			close(s->pairs_fd);
		s->pairs_fd = pairs_memfd(s->now);
		s->pairs_of = s->now;
	}
	/* Without it a gate answers no stray: they end by their own time-outs. */
	if (s->pairs_fd >= 0)
		role_send(s, gate, 0, &(struct msg_body){ .type = MSG_PAIRS }, &s->pairs_fd, 1);
}
