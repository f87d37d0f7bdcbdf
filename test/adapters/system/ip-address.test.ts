import { expect } from 'chai'
import { isLoopback, isLoopbackName, networkOf } from '../../../src/adapters/system/ip-address.js'

describe('addresses of the loopback', () => {
  for (const host of ['localhost', '127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])
    it(`are known by ${host}`, () => expect(isLoopback(host)).to.equal(true))

  for (const host of ['127.example.com', '127.1', '0.0.0.0', '::', '10.0.0.1', '::ffff:10.0.0.1', ''])
    it(`are not ${host || 'nothing'}`, () => expect(isLoopback(host)).to.equal(false))

  for (const host of ['localhost', 'LOCALHOST:8080', '127.0.0.1:8080', '[::1]', '[::1]:8080'])
    it(`are named by the Host ${host}`, () => expect(isLoopbackName(host)).to.equal(true))

  for (const host of ['127.0.0.1.example.com', '127.1:80', '::1', '[localhost]', 'localhost:x', '', undefined])
    it(`are not named by the Host ${host}`, () => expect(isLoopbackName(host)).to.equal(false))
})

describe('networks', () => {
  for (const text of ['10.0.0.7', '10.0.0.0/8', '2001:db8::/32', '::1', '0.0.0.0/0', '::ffff:10.0.0.0/104'])
    it(`are read from ${text}`, () => expect(networkOf(text)).not.to.equal(null))

  for (const text of ['10/8', '010.0.0.0/8', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/9', '::/129', 'x', ''])
    it(`are not ${text || 'nothing'}`, () => expect(networkOf(text)).to.equal(null))
})
