import { BlockList, isIP } from 'node:net'

/** Address ranges such as `192.0.2.7` and `10.1.0.0/16`, of both families. */
export class Addresses {
  private readonly list = new BlockList()

  /** @param ranges valid ones */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = '', bits] = range.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      if (bits === undefined) this.list.addAddress(address, family)
      else this.list.addSubnet(address, Number(bits), family)
    }
  }

  has(address: string): boolean {
    const plain = plainAddress(address)
    const family = isIP(plain)
    return family !== 0 && this.list.check(plain, family === 6 ? 'ipv6' : 'ipv4')
  }
}

/** An IPv4 address that a socket of both families shows as IPv6, as IPv4. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')
