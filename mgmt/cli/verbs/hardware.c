/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho hardware`: whether this machine is suitable, and whether Sekisho was run on such
 * hardware. */
#include <string.h>

#include "mgmt/cli/devices/devices.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"

static const char *said(const struct cli *c, bool yes, enum message when, enum message otherwise)
{
	return message_format(yes ? when : otherwise, c->lang);
}

static void row(struct table *t, const struct cli *c, enum message what, const char *found)
{
	table_cell(t, message_format(what, c->lang));
	table_cell(t, found);
}

/* A row: what the machine has, and whether Sekisho was tried with hardware of that kind. */
static void found_row(struct table *t, const struct cli *c, enum message what, const char *found, const char *tried)
{
	char text[400];

	snprintf(text, sizeof(text), "%s%s", found,
		 message_format(strcmp(tried, "emulated") == 0 ? M_HARDWARE_EMULATED : M_HARDWARE_KERNEL_UNTRIED,
				c->lang));
	row(t, c, what, *found != '\0' ? text : message_format(M_HARDWARE_NONE, c->lang));
}

/* "ttyS0, ttyS1", or "none". */
static void list_row(struct table *t, const struct cli *c, enum message what, const json_t *list, const char *tried)
{
	char text[256];

	json_joined(list, ", ", text, sizeof(text));
	found_row(t, c, what, text, tried);
}

static void machine_print(struct cli *c, const json_t *j)
{
	struct table *t = table_new(2, 0);
	const json_t *kernel = ja(j, "kernel"), *tried = ja(j, "tried");
	char text[256];

	snprintf(text, sizeof(text), "%s %s", js(j, "vendor"), js(j, "model"));
	row(t, c, M_HARDWARE_MACHINE, text[0] != ' ' ? text : "-");
	message_text(text, sizeof(text), c->lang, M_HARDWARE_SIZE, ju(j, "processors"), ju(j, "memory") >> 20);
	row(t, c, M_HARDWARE_PROCESSORS, text);
	snprintf(text, sizeof(text), "%s%s", js(kernel, "release"),
		 said(c, jb(kernel, "tried"), M_HARDWARE_KERNEL_TRIED, M_HARDWARE_KERNEL_UNTRIED));
	row(t, c, M_HARDWARE_KERNEL, text);
	found_row(t, c, M_HARDWARE_TPM, js(j, "tpm"), js(tried, "tpm"));
	list_row(t, c, M_HARDWARE_CLOCK, ja(j, "clocks"), js(tried, "clock"));
	list_row(t, c, M_HARDWARE_WATCHDOG, ja(j, "watchdogs"), js(tried, "watchdog"));
	list_row(t, c, M_HARDWARE_SERIAL, ja(j, "serial"), js(tried, "serial"));
	(void)table_end(t, c->out, c->color);
}

static const struct answer_row cards[] = {
#define ROWS_HARDWARE_CARDS
#include "mgmt/cli/verbs/answers.def"
};

static const char *there(const struct cli *c, const json_t *mean)
{
	if (!json_is_boolean(json_object_get(mean, "there")))
		return message_format(M_HARDWARE_UNTOLD, c->lang);
	return said(c, jb(mean, "there"), M_HARDWARE_THERE, M_HARDWARE_NOT_THERE);
}

static void means_print(struct cli *c, const json_t *means)
{
	static const struct {
		const char *name;
		enum message what;
	} words[] = {
		{ "queue", M_HARDWARE_QUEUE },
		{ "queue_target", M_HARDWARE_QUEUE_TARGET },
		{ "owned_table", M_HARDWARE_OWNED },
		{ "vlan", M_HARDWARE_VLAN },
		{ "bridge", M_HARDWARE_BRIDGE },
		{ "bridge_sessions", M_HARDWARE_BRIDGE_SESSIONS },
		{ "bpf", M_HARDWARE_BPF },
		{ "bpf_match", M_HARDWARE_BPF_MATCH },
		{ "disk_encryption", M_HARDWARE_CRYPT },
	};
	struct table *t = table_new(2, 0);

	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		const json_t *one = json_find(means, "name", words[w].name);

		if (one != NULL)
			row(t, c, words[w].what, there(c, one));
	}
	(void)table_end(t, c->out, c->color);
}

int verb_hardware(struct cli *c, const struct cli_args *a)
{
	json_t *j = hardware_read("");

	if (j == NULL)
		return cli_fail(c, CLI_CANNOT, M_HARDWARE_UNREAD);
	if (c->json) {
		json_line(c->out, j);
		return CLI_YES;
	}
	machine_print(c, j);
	render_line(c, M_HARDWARE_CARDS);
	answer_print(c, cards, j);
	render_line(c, M_HARDWARE_MEANS);
	means_print(c, ja(ja(j, "kernel"), "means"));
	json_decref(j);
	return CLI_YES;
}
