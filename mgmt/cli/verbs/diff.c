/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho diff OLD NEW`: what becomes possible or impossible, then every setting that differs. */
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"
#include "mgmt/cli/policy/means.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "policy/render/render.h"
#include "policy/render/settings.h"

static void told(struct cli *c, const struct source *before, const struct source *after, const json_t *means,
		 const json_t *changes)
{
	size_t n = 0, come = 0, gone = 0;

	means_print(c, means, before->c.diags.folder, after->c.diags.folder);
	if (json_array_size(changes) > 0)
		source_say(c, M_MEANS_SETTINGS);
	json_each(one, changes) {
		const char *what = json_string_value(json_object_get(one, "change"));
		bool removed = strcmp(what, "removed") == 0, added = strcmp(what, "added") == 0;
		char *text;

		n += !removed && !added;
		come += added;
		gone += removed;
		text = settings_text(one, c->lang, (removed ? before : after)->c.diags.folder);
		settings_print(c, text);
		free(text);
	}
	if (json_array_size(changes) > 0)
		message_print(c->out, c->lang, M_COMPARE_SUM, n, come, gone);
}

static int compare(struct cli *c, const struct source *before, const struct source *after)
{
	json_t *was = settings_json(&before->c), *is = settings_json(&after->c);
	json_t *changes = was != NULL && is != NULL ? settings_compare(was, is) : NULL, *means;
	int status = json_array_size(changes) == 0 ? CLI_YES : CLI_NO;

	json_decref(was);
	json_decref(is);
	if (changes == NULL)
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	means = means_json(&before->c, &after->c, clock_wall_s());
	if (means == NULL) {
		json_decref(changes);
		return cli_fail(c, CLI_CANNOT, M_MEANS_LARGE);
	}
	if (c->json)
		json_line(c->out, json_pack("{s:b, s:b, s:O, s:O}", "same", status == CLI_YES, "same_meaning",
					    (int)(json_array_size(means) == 0), "meaning", means, "changes", changes));
	else
		told(c, before, after, means, changes);
	json_decref(means);
	json_decref(changes);
	return status;
}

int verb_diff(struct cli *c, const struct cli_args *a)
{
	struct source before, after = { 0 };
	int status;

	if (source_open_any(c, a->operands[0], SOURCE_UNPROVED, &before, &status) &&
	    source_open_any(c, a->operands[1], SOURCE_UNPROVED, &after, &status))
		status = compare(c, &before, &after);
	source_close(&before);
	source_close(&after);
	return status;
}
