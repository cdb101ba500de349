/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho record EVENT TEXT`: records an event for programs of the appliance. The daemon adds
 * author and time. */

#include "appliance/base/utf8.h"
#include "appliance/wire/event_words.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"

int verb_record(struct cli *c, const struct cli_args *a)
{
	struct msg_body m = { MSG_CTL_RECORD, .ctl_record = { 0 } };
	unsigned what = event_code_by_word(EVENT_MACHINE, a->operands[0]);

	/* Only the daemon records whether the clock is trusted. */
	if (what == MACHINE_NOTHING || what >= MACHINE_CLOCK_WAITS)
		return cli_fail(c, CLI_INVALID, M_RECORD_UNKNOWN, a->operands[0]);
	if (!text_is_plain(a->operands[1], RECORD_MOST))
		return cli_fail(c, CLI_INVALID, M_RECORD_LONG, RECORD_MOST);
	m.ctl_record.what = (uint8_t)what;
	m.ctl_record.text = a->operands[1];
	return box_tell(c, &m, NULL);
}
