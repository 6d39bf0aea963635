# SPDX-License-Identifier: MIT
#
# Makes the configs of a system of stock Linux VMs those for a 32-bit CPU: by the names of Debian's
# kernel for it and of its only initramfs (see make.sh).
s/\bd12c\.Image\b/d12v7.zImage/
s/\bd12c(-net)?\.cpio\b/d12v7.cpio/
