/* SPDX-License-Identifier: Apache-2.0 */
/* To the workers: which sessions the policy in force has ended, out of the list that enforce made of what was tracked. */
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/cuts.h"

void cuts_hand_on(struct supervisor *s, int fd)
{
	for (uint32_t w = 0; w < PAIR_MAX; w++)
		if (slot_alive(&s->slots[SLOT_DPI + w]))
			role_send(s, &s->slots[SLOT_DPI + w], 0, &(struct msg_body){ .type = MSG_CUTS }, &fd, 1);
}

void cuts_tell(struct supervisor *s, const struct told *t)
{
	/* Of more than there is room for, the others hear of it when they speak. */
	size_t n = t->n_cut < CUTS_MAX_BYTES / sizeof(struct cut_session) ? t->n_cut
									  : CUTS_MAX_BYTES / sizeof(struct cut_session);
	struct cut_session *list = calloc(n + 1, sizeof(*list));
	size_t kept = 0;
	int fd;

	for (size_t i = 0; list != NULL && i < n; i++) {
		const struct ends *e = &t->sessions[i].ends;

		if (e->l4proto == IPPROTO_TCP)
			list[kept++] = (struct cut_session){ e->client, e->server, e->client_port, e->server_port };
	}
	fd = kept > 0 ? memfd_sealed("sekisho-cuts", list, kept * sizeof(*list)) : -1;
	if (fd >= 0) {
		cuts_hand_on(s, fd);
		close(fd);
	}
	free(list);
}
