import { Component, createElement, type ComponentType, type FunctionComponent } from 'preact'

/** Redraws a component only when one of its properties changes (compared by identity). */
export function memo<P extends object>(inner: FunctionComponent<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const names = new Set([...Object.keys(this.props), ...Object.keys(next)]) as Set<keyof P>
      for (const name of names) if (this.props[name] !== next[name]) return true
      return false
    }

    override render() {
      return createElement(inner as ComponentType<P>, this.props)
    }
  } as unknown as ComponentType<P>
}
