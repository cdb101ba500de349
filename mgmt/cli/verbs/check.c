/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho check POLICY`: is this policy valid, and do its `never` statements hold? */
#include <stdlib.h>

#include "mgmt/cli/policy/source.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"

int verb_check(struct cli *c, const struct cli_args *a)
{
	struct source s;
	int status = CLI_YES;

	if (source_open(c, a->operands[0], SOURCE_LOWER, &s, &status)) {
		const struct model *m = s.c.model;
		json_t *waits = source_waits(c, s.c.ir), *all;
		size_t zones = 0;

		/* Zones of the policy, without the one for the box itself. */
		for (size_t i = 0; i < m->n_zones; i++)
			zones += !m->zones[i].self;
		if (c->json) {
			all = source_diagnostics(&s, c->lang);
			if (waits != NULL)
				json_object_set(all, "clock", waits);
			json_line(c->out, all);
		} else {
			char *safe = text_safe(a->operands[0]);

			message_print(c->out, c->lang, M_CHECK_FINE, safe != NULL ? safe : "", zones, m->n_assets,
				      m->n_services, m->n_conduits, m->n_nevers, s.c.diags.warnings);
			free(safe);
			clock_waits_print(c, waits);
		}
		json_decref(waits);
	}
	source_close(&s);
	return status;
}
