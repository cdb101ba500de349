/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of a page, for its forms alone. */
#ifndef SEKISHO_MGMT_CLI_REPORT_PARTS_H
#define SEKISHO_MGMT_CLI_REPORT_PARTS_H

#include "appliance/base/json.h"
#include "mgmt/cli/report/page.h"

/*
 * `parts`, in their order: {"kind":"section|text|blank","text"} and {"kind":"table","head":[texts],"cells":[{"text","mark"?}]}.
 */
struct page {
	enum lang lang;
	const char *title; /* of the catalogue */
	json_t *parts;
	json_t *cells; /* borrowed: of the table that is being filled, NULL = none */
	bool failed;
};

#endif
