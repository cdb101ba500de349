/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/enforce/look.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/enforce/effective.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/links.h"
#include "appliance/enforce/status.h"
#include "appliance/kernel/batch.h"
#include "appliance/kernel/deny_base.h"
#include "appliance/kernel/dump.h"

struct enforce_look {
	struct enforce f; /* the state of the role, whose loop does not run */
};

/* The rules in the kernel may still ask the verdict cache's program of the daemon that is gone. */
static int cache_stands(struct kernel_side *kernel, struct err *e)
{
	struct arena *a = arena_new(2 * DUMP_BUDGET);
	struct image have = { .n_rules = 0 };
	int r = a == NULL ? err_set(e, -ENOMEM, "look at the rules") : netlink_dump(&kernel->net, a, &have, e);

	for (size_t n = 0; r == 0 && n < have.n_rules; n++)
		if (strstr(have.rules[n].text, "[ match name bpf rev 1") != NULL)
			kernel->lacks &= ~(unsigned)LACKS_ONCE;
	arena_free(a);
	return r;
}

static int open_all(struct enforce *f, struct err *e)
{
	int r = netlink_open_here(&f->kernel.net, e);

	if (r == 0)
		r = enforce_begin(&f->kernel, e);
	if (r < 0)
		return r;
	f->kernel.lacks = batch_probe(&f->kernel.net);
	return cache_stands(&f->kernel, e);
}

struct enforce_look *enforce_look_open(struct err *e)
{
	struct enforce_look *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		err_set(e, -ENOMEM, "look at the rules");
		return NULL;
	}
	l->f = (struct enforce){
		.roles = { .control = -1, .events = { .fd = -1 } },
		.kernel = { .net = { .fd = -1 },
			    .links = -1,
			    .neighbours = -1,
			    .forwarding = { -1, -1 },
			    .reverse_path = -1 },
		.watched = { .monitor = -1, .delay = -1 },
	};
	if (open_all(&l->f, e) == 0)
		return l;
	enforce_look_close(l);
	return NULL;
}

void enforce_look_close(struct enforce_look *l)
{
	if (l == NULL)
		return;
	enforce_end(&l->f);
	if (l->f.kernel.net.fd >= 0)
		close(l->f.kernel.net.fd);
	free(l);
}

int enforce_look_names(struct enforce_look *l, const uint8_t *p, size_t n_sealed, size_t n_map, struct err *e)
{
	l->f.now = generation_hold(p, n_sealed, n_map, e);
	if (l->f.now == NULL)
		return e->code;
	(void)links_resolve(l->f.kernel.links, l->f.now);
	return 0;
}

void enforce_look_used(struct enforce_look *l, const uint8_t *p, size_t n)
{
	struct err e;

	(void)matched_take(p, n, &l->f.uses.matched, &e);
}

int enforce_look_base(struct enforce_look *l, bool *ret, struct err *e)
{
	return deny_base_stands(&l->f.kernel.net, ret, e);
}

bool enforce_look_forwarding(const struct enforce_look *l)
{
	return forwarding_is_on(&l->f.kernel.forwarding);
}

int enforce_look_ends(struct enforce_look *l, bool *ret_open, bool *ret_closed, struct err *e)
{
	struct arena *a = arena_new(2 * DUMP_BUDGET);
	struct image have, want;
	struct expectation x;
	int r = a == NULL ? err_set(e, -ENOMEM, "look at the rules") : netlink_dump(&l->f.kernel.net, a, &have, e);

	*ret_open = r == 0 && image_ends(&have) > 0;
	*ret_closed = false;
	if (r == 0 && !*ret_open && l->f.now != NULL) {
		r = generation_image(&l->f, l->f.now, a, &want, &x, e);
		*ret_closed = r == 0 && image_ends(&want) > 0;
	}
	arena_free(a);
	return r;
}

json_t *enforce_look_status(struct enforce_look *l, struct err *e)
{
	return enforce_status(&l->f, e);
}

json_t *enforce_look_effective(struct enforce_look *l, struct err *e)
{
	return enforce_effective(&l->f, e);
}
