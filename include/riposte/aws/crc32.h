/* CRC-32 as zlib and Ethernet have it: what S3 takes for a checksum.
 *
 * Threads:    pure. */
#ifndef RIPOSTE_AWS_CRC32_H
#define RIPOSTE_AWS_CRC32_H

#include "riposte/base/text.h"

#include <stdint.h>

uint32_t aws_crc32(struct text bytes);

#endif
