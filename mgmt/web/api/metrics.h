/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status as Prometheus reads it: text exposition format 0.0.4, a family of samples for each row of metrics.def. It says
 * nothing that the status does not say; what is missing there, or null, has no sample. Pure.
 */
#ifndef SEKISHO_MGMT_WEB_API_METRICS_H
#define SEKISHO_MGMT_WEB_API_METRICS_H

#include <stddef.h>

/* The type of the text, as HTTP names it. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * `json` holds `n` bytes of the status. The text is the caller's to free(), *ret_n its length. NULL when the bytes are no
 * status or memory is short.
 */
char *metrics_text(const char *json, size_t n, size_t *ret_n);

#endif
